"""What a process may use of a machine, as the system and a container's limits say."""

import os
from pathlib import Path

import psutil
import pytest

from peft_pipelines.files.machine import all_memory, free_cores, free_memory


@pytest.mark.parametrize(
    ("limit", "cores"), [("max 100000", 1000), ("150000 100000", 1), ("50000 100000", 1), ("", 1000)]
)
def test_processors_of_a_container(tmp_path: Path, limit: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{limit}\n")
    assert free_cores(tmp_path) == min(cores, len(os.sched_getaffinity(0)))
    assert free_cores(tmp_path / "nowhere") == len(os.sched_getaffinity(0))


def test_memory_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("9000000\n")
    (tmp_path / "memory.current").write_text("5000000\n")
    assert free_memory(tmp_path) == 4_000_000
    assert all_memory(tmp_path) == 9_000_000
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 2000000\nactive_file 7\n")
    assert free_memory(tmp_path) == 6_000_000
    (tmp_path / "memory.current").write_text("19000000\n")
    assert free_memory(tmp_path) == 0
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) > 0
    assert all_memory(tmp_path) == all_memory(tmp_path / "nowhere") == psutil.virtual_memory().total
    assert free_memory(tmp_path / "nowhere") <= psutil.virtual_memory().total
