"""Workers of this machine: how many, and what each of them sees of its GPUs."""

import json
import os
import sys
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from trivial import catalog, pipeline

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import gpus, processes
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.processes import Processes
from peft_pipelines.running.worker_process import WorkerProcess


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "visible", lambda: ["0", "GPU-8a"])


def staffed(asked: int | None, per_gpu: int | None, cells: int) -> int:
    pending: list[Plan] = [None] * cells  # type: ignore[list-item]  (nobody looks into them)
    with Processes(asked, per_gpu).staffed(pending, DataCatalog()) as size:
        return size


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("asked", "per_gpu", "cells", "size"),
    [(None, None, 9, 2), (None, 2, 9, 4), (None, 2, 3, 3), (3, None, 9, 3), (1, None, 9, 0), (None, None, 1, 0)],
)
def test_there_are_as_many_workers_as_gpus_take(asked: int | None, per_gpu: int | None, cells: int, size: int) -> None:
    assert staffed(asked, per_gpu, cells) == size


@pytest.mark.usefixtures("two_gpus")
def test_a_worker_sees_its_gpu_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho $CUDA_VISIBLE_DEVICES >> {tmp_path}/seen\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(ConfigError, match=r"^--workers: 3 processes have ended before their first cell"):
        CellRunner(workers=None).run(pipeline(), catalog(tmp_path / "store"))
    assert set((tmp_path / "seen").read_text().split()) == {"0", "GPU-8a"}


@pytest.mark.usefixtures("two_gpus")
def test_a_worker_that_does_not_see_its_gpu_ends_the_run(tmp_path: Path) -> None:
    """One that has fallen off the bus, or is not there: the cells would be made on the CPU."""
    says = r"^CUDA_VISIBLE_DEVICES: must name GPUs of this machine that work, a worker sees none by '(0|GPU-8a)'\n"
    with pytest.raises(ConfigError, match=says):
        CellRunner(workers=None).run(pipeline(), catalog(tmp_path))
    assert not list(tmp_path.rglob("failure.json"))


@pytest.mark.usefixtures("two_gpus")
def test_a_worker_knows_how_many_share_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(processes, "WorkerProcess", lambda place, environment: given.append(environment))
    staff = Processes(3, None)
    with staff.staffed([None] * 9, DataCatalog()):  # type: ignore[list-item]  (nobody looks into them)
        for place in range(3):
            staff.hire(place)
    assert [each["PEFT_GPU_SHARE"] for each in given] == ["2", "1", "2"]


def test_without_gpus_nothing_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(processes, "WorkerProcess", lambda place, environment: given.append(environment))
    Processes(2, None).hire(0)
    assert given == [{}]


def test_a_worker_may_have_variables_and_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, seen = tmp_path / "python", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\npwd > {seen}\necho "$OWN" >> {seen}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    (tmp_path / "work").mkdir()
    worker = WorkerProcess(0, {"OWN": json.dumps(1)}, tmp_path / "work")
    assert worker.gone() == "exit code 0"
    assert seen.read_text().split() == [os.path.realpath(tmp_path / "work"), "1"]
