"""One thread a cell: whatever the libraries would take, and whether they are loaded before or afterwards."""

import os
import subprocess
import sys

import pytest
import torch

from peft_pipelines.running.threads import environment, limited, per_cell


@pytest.mark.parametrize(("asked", "threads"), [(None, 1), ("", 1), ("3", 3), ("4,2", 4), ("0", 1), ("many", 1)])
def test_one_thread_unless_more_are_asked_for(monkeypatch: pytest.MonkeyPatch, asked: str | None, threads: int) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert per_cell() == threads
    found = environment()
    assert (found["MKL_NUM_THREADS"], found["OPENBLAS_NUM_THREADS"]) == (str(threads), "5")


def test_the_limit_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with limited():
            assert torch.get_num_threads() == 1
            assert os.environ["OMP_NUM_THREADS"] == "1"
        assert torch.get_num_threads() == 2
        assert "OMP_NUM_THREADS" not in os.environ
    finally:
        torch.set_num_threads(before)


LATER = """
import numpy
from peft_pipelines.running.threads import limited
with limited():
    import torch
    from threadpoolctl import threadpool_info
    print(torch.get_num_threads(), {pool["num_threads"] for pool in threadpool_info()})
"""


def test_libraries_that_are_loaded_later_keep_to_it() -> None:
    free = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    free["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True, env=free)
    assert done.stdout == "1 {1}\n"
