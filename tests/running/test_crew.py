"""Cells side by side: the same as one after another, whatever happens to the processes that make them."""

import json
import os
import re
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
from killed import all_providers
from stores import contents, tree, unclocked
from trivial import FAULTS, catalog, fail, pipeline, soon, stands

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.claim_file import Holder
from peft_pipelines.models import device
from peft_pipelines.running import crew
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.channel import Order, Ready
from peft_pipelines.running.claims import Claims
from peft_pipelines.running.display import Lines
from peft_pipelines.running.failures import DeviceFailed, DiskFailed, PartsFailed
from peft_pipelines.running.fingerprint import Fingerprints
from peft_pipelines.running.shipment import Shipment
from peft_pipelines.running.staff import Errand
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit

CELL = "m/x/b/s0"


def run(folder: Path, workers: int | None = 2) -> None:
    CellRunner(workers=workers).run(pipeline(), catalog(folder))


def test_numbers_tensors_and_answers_do_not_depend_on_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "methods"))
    project = all_providers(tmp_path)  # with a search of the learning rate, and a method that learns two tasks at once
    project.grid["methods"] = ["lora", "mpt_multitask", "sequential_bottleneck"]
    for workers in (1, 2):
        result = project.kedro("run", f"--workers={workers}")
        assert result.exit_code == 0, result.output
        Path("data").rename(f"data{workers}")
    one, two = Path("data1"), Path("data2")
    assert tree(one) == tree(two)
    assert contents(one) == contents(two)


def test_a_failure_is_told_as_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(monkeypatch, train_b_x="raise")
    told: dict[int, Any] = {}
    for workers in (1, 2):
        monkeypatch.chdir(tmp_path)
        folder = Path(str(workers))
        with pytest.raises(PartsFailed) as caught:
            run(folder, workers)
        stands(folder, but=1)
        log = (folder / CELL / "failure.log").read_text()
        assert "Traceback" in log and "ValueError: no" in log
        failure = unclocked(json.loads((folder / CELL / "failure.json").read_text()))
        said = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines() if line[:1] == "["]
        lines = sorted(re.sub(r"\d+ s\b", "some s", line) for line in said)
        told[workers] = [str(caught.value).replace(f"{folder}/", ""), failure, lines, json.loads(results(folder))]
    assert told[1] == told[2]


def results(folder: Path) -> str:
    return (folder / "results.json").read_text()


def test_the_cell_of_a_killed_worker_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = tmp_path / "pid"
    fail(monkeypatch, train_b_x=f"wait {pid}")
    soon(pid.exists, lambda: os.kill(json.loads(pid.read_text()), signal.SIGKILL))
    run(tmp_path / "store")
    said = capsys.readouterr().err.splitlines()
    assert "b · m · x · s0: its process was ended (SIGKILL, in train), the cell is made again" in said
    stands(tmp_path / "store")
    assert json.loads(results(tmp_path / "store"))["b.m.x.s0"] == 0.5


def test_a_cell_that_ends_three_processes_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, train_b_x="die")
    with pytest.raises(PartsFailed) as caught:
        run(tmp_path)
    reason = "each process that it was run in has ended in train, the last by SIGKILL, as it is where memory runs out"
    assert f"b · m · x · s0: WorkersLost: {reason} (see {tmp_path / CELL / 'failure.log'})" in str(caught.value)
    stands(tmp_path, but=1)
    failure = json.loads((tmp_path / CELL / "failure.json").read_text())
    assert (failure["node"], failure["reason"]) == ("b.m-x-s0-train", reason)
    monkeypatch.delenv(FAULTS)
    run(tmp_path)
    stands(tmp_path)


def test_a_gpu_that_fails_in_the_runs_own_process_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, train_b_x="cuda")
    reason = r"CUDA error: device-side assert triggered \(at b · m · x · s0 \(train\); . of 4 cells stand\); the same"
    with pytest.raises(DeviceFailed, match=f"^{reason}"):
        run(tmp_path, 1)
    assert not (tmp_path / CELL / "failure.json").exists()


@pytest.mark.parametrize("workers", [None, 2])
def test_a_gpu_that_fails_costs_its_process_and_no_other_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: int | None
) -> None:
    fail(monkeypatch, train_b_x="cuda")
    monkeypatch.setattr(device, "kind", lambda: "cuda")
    with pytest.raises(PartsFailed) as caught:
        run(tmp_path, workers)
    reason = "each process that it was run in has ended in train, the last by CUDA error"
    assert f"b · m · x · s0: WorkersLost: {reason} (see {tmp_path / CELL / 'failure.log'})" in str(caught.value)
    said = capsys.readouterr().err.splitlines()
    assert said.count("b · m · x · s0: its process was ended (CUDA error, in train), the cell is made again") == 2
    assert "RuntimeError: CUDA error: device-side assert triggered" in (tmp_path / CELL / "failure.log").read_text()
    stands(tmp_path, but=1)


def test_a_cell_that_another_run_holds_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = Claims("other")
    assert others.take(tmp_path / CELL) is None
    soon((tmp_path / "m/x/a/s0/metrics.json").exists, lambda: others.release(tmp_path / CELL))
    run(tmp_path)
    assert sum("b · m · x · s0: held by run other" in line for line in capsys.readouterr().err.splitlines()) == 1
    stands(tmp_path)


def test_an_error_that_is_no_cells_own_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / CELL).parent.mkdir(parents=True)
    (tmp_path / CELL).write_text("a file")
    with pytest.raises(DiskFailed, match=r"^File exists: '.*/m/x/b/s0' \(at .*; . of 4 cells stand\)"):
        run(tmp_path)


def test_workers_that_cannot_begin_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ConfigError, match=r"^--workers: 3 processes have ended before their first cell \(exit code 1"):
        run(tmp_path)


def test_what_cannot_be_sent_is_one_line(tmp_path: Path) -> None:
    found = catalog(tmp_path)
    found["params:scale"] = lambda: 100
    with pytest.raises(ConfigError, match=r"^--workers: what a cell is made of cannot be sent .*lambda.*; --workers=1"):
        CellRunner(workers=2).run(pipeline(), found)


class Dying:
    """A worker that begins, and dies of each cell."""

    def __init__(self, place: int) -> None:
        self.place, self.ready, self.phase, self.said = place, False, "", ""
        self.errand: Errand | None = None
        self.line, self._end = Pipe()
        self._end.send(Ready())

    def send(self, message: object) -> None:
        if isinstance(message, Order):
            self._end.close()

    def terminate(self) -> None:
        self._end.close()

    def gone(self, patience: float = 0.0) -> str:
        return "SIGKILL"


class Mortals:
    """Hires those that die, and counts them."""

    option, instead = "--mortals", "have none"
    hired = 0

    def staffed(self, pending: object, catalog: object) -> AbstractContextManager[int]:
        return nullcontext(1)

    def hire(self, place: int) -> Dying:
        self.hired += 1
        return Dying(place)


def given_up(holders: list[Holder | Outcome], monkeypatch: pytest.MonkeyPatch, folder: Path) -> tuple[Outcome, int]:
    """What becomes of a cell that is held by these in turn when it is to be given up, and how many workers it costs."""
    monkeypatch.setattr(crew, "POLL", 0.0)
    sent = Shipment(None, catalog(folder), [], False, "mine", False, Fingerprints(catalog(folder)), {})
    staff = Mortals()
    with crew.Crew(1, staff, sent, Lines(lambda line: None), lambda *given: holders.pop(0)) as one:
        ((_, outcome),) = one.outcomes([Unit("cell.a.m.x.s0", ())])
    return outcome, staff.hired - 1  # the last one that was hired has had no cell


def held_by(run_id: str) -> Holder:
    return Holder(run_id, "elsewhere", 1, "", "", "")


FAILED = Outcome("failed", True)


def test_the_claim_of_a_dead_worker_elsewhere_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_up([held_by("mine"), held_by("mine"), FAILED], monkeypatch, tmp_path) == (FAILED, 3)


def test_a_cell_that_another_run_has_by_then_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_up([held_by("other"), FAILED], monkeypatch, tmp_path) == (FAILED, 6)
