"""How far a run is, on disk: written while it goes on, and only by a run that has a folder."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from kedro.io import DataCatalog
from trivial import catalog, fail, pipeline, soon

from peft_pipelines.files.owner import Owner, me
from peft_pipelines.running import progress_file
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.progress_file import PROGRESS, RunSign, on_disk, read, write
from peft_pipelines.running.run_progress import RunProgress, Snapshot

RUN = "run1"


def with_runs(folder: Path) -> DataCatalog:
    """The trivial grid's catalog, with the folder of a run in it."""
    found = catalog(folder)
    kind = "peft_pipelines.storage.workspace.Workspace"
    runs = DataCatalog.from_config({"runs": {"type": kind, "filepath": str(folder / "runs")}})
    found["runs"] = runs.get("runs")
    (folder / "runs" / RUN).mkdir(parents=True)
    return found


def sign(owner: str = "", **facts: object) -> RunSign:
    facts = {"seconds": 0.0, **facts}
    return RunSign(run_id=RUN, host="h", pid=1, owner=owner or str(me()), progress=Snapshot.model_validate(facts))


def test_where_each_worker_is_stands_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_file, "OFTEN", 0.05)
    waiting = [tmp_path / cell for cell in ("b_y", "a_y")]
    fail(monkeypatch, train_b_y=f"wait {waiting[0]}", train_a_y=f"wait {waiting[1]}")
    seen: list[Snapshot] = []

    def both_train() -> bool:
        found = read(tmp_path / "runs" / RUN)
        seen.extend([found[0].progress] if found else [])
        return bool(seen) and [each.phase for each in seen[-1].doing] == ["train", "train"]

    def go_on() -> None:
        for file in waiting:
            os.kill(json.loads(file.read_text()), signal.SIGKILL)  # its cell is made again, and waits no more

    watching = soon(lambda: both_train() and all(file.exists() for file in waiting), go_on)
    CellRunner(workers=2).run(pipeline(), with_runs(tmp_path), run_id=RUN)
    watching.join()
    assert {"b · m · y · s0", "a · m · y · s0"} in [{each.title for each in now.doing} for now in seen]
    assert {0, 1} == {each.place for now in seen for each in now.doing}
    last = read(tmp_path / "runs" / RUN)
    assert last and (last[0].progress.cells, last[0].progress.made) == (4, 4)
    assert (last[0].pid, last[0].owner) == (os.getpid(), str(me()))


def test_a_cell_that_fails_and_one_that_stands_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_runs(tmp_path)
    fail(monkeypatch, train_b_x="raise")
    for _ in range(2):
        with pytest.raises(PartsFailed):
            CellRunner().run(pipeline(), found, run_id=RUN)
    last = read(tmp_path / "runs" / RUN)
    assert last
    now = last[0].progress
    assert (now.cells, now.unchanged, now.made, now.failed) == (4, 3, 1, 1)


def test_a_run_without_a_folder_writes_nothing(tmp_path: Path) -> None:
    CellRunner().run(pipeline(), catalog(tmp_path), run_id=RUN)
    assert not list(tmp_path.rglob(PROGRESS))


def test_it_is_written_seldom_unless_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_file, "OFTEN", 0.01)
    written: list[Snapshot] = []
    monkeypatch.setattr(progress_file, "write", lambda folder, now: written.append(now))
    progress = RunProgress()
    with on_disk(progress, RUN, with_runs(tmp_path)):
        time.sleep(0.3)
        assert len(written) == 1
        progress.begin("a", 0)
        time.sleep(0.3)
    assert [len(now.doing) for now in written] == [0, 1]


def test_a_sign_is_whole_and_leaves_no_scratch(tmp_path: Path) -> None:
    write(tmp_path, Snapshot(seconds=1.0))
    write(tmp_path, Snapshot(seconds=2.0, cells=3))
    assert [path.name for path in tmp_path.iterdir()] == [PROGRESS]
    found = read(tmp_path)
    assert found and found[0].progress.cells == 3 and found[1] < 60
    (tmp_path / PROGRESS).write_text('{"run_id": "x"}')
    with pytest.raises(ValueError, match=r"^progress.json of run '.*' is damaged \(host: Field required\)$"):
        read(tmp_path)


def test_a_process_here_is_dead_when_it_is_gone_elsewhere_when_silent() -> None:
    here = me()
    assert not sign().dead(1e6)
    assert sign(str(Owner(here.machine, here.pid, here.began + 1))).dead(0.0)
    elsewhere = sign("0a1b2c3d_1_1")
    assert [elsewhere.dead(silent) for silent in (0.0, 119.0, 121.0)] == [False, False, True]
    assert sign("nonsense").dead(121.0)


def test_a_run_that_ends_takes_its_sign_and_earlier_dead_ones_away(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("1", "2", "3", "4")]
    for folder in folders:
        folder.mkdir()
        write(folder, RunProgress().now())
    for folder in (folders[0], folders[3]):
        dead = sign(str(replace(me(), began=0))).model_dump_json()
        (folder / PROGRESS).write_text(dead, encoding="utf-8")
    progress_file.remove(folders[2])
    assert [folder.name for folder in folders if (folder / PROGRESS).exists()] == ["2", "4"]


def test_the_losses_of_a_phase_are_kept_until_the_next_one() -> None:
    progress = RunProgress()
    progress.begin("a cell", 0)
    progress.step("training", 0, 1, 9)
    for entry in ({"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5}, {"step": 2, "validation_loss": 1.25}):
        progress.log("training", entry, 0)
    progress.step("training", 0, 3, 9)
    progress.log("training", {"step": 2, "loss": 1.0}, 0)  # as a training that goes on reports it again
    (doing,) = progress.now().doing
    assert (doing.done, doing.losses, doing.validation) == (3, [(1, 2.0), (2, 1.0)], [(2, 1.25)])
    assert Snapshot.model_validate_json(progress.now().model_dump_json()).doing[0].losses == doing.losses
    progress.log("second training", {"step": 1, "loss": 3.0}, 0)
    assert progress.now().doing[0].losses == [(1, 3.0)] and progress.now().doing[0].validation == []
    progress.log("training", {"step": 1, "loss": 3.0}, 7)
