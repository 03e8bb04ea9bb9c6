"""The page Run: one run at a time by whoever asks, found again by every board, ended so that it goes on later."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict
from threading import Thread
from typing import Any

import pytest
import signs
from board_runs import running_board
from boards import Board, shown, waited
from signs import GONE

from peft_pipelines.board import launch, queue_files
from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.project import Project
from peft_pipelines.board.run_state import IDLE, RUNNING, Followed
from peft_pipelines.files.atomic import write_json
from peft_pipelines.files.claim_file import Holder
from peft_pipelines.files.owner import me

__all__ = ["running_board"]


def told(board: Board, what: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"env": "local", **fields})
    status, text, _ = board.sent("POST", f"/run/{what}", body, **{"Content-Type": "application/json"})
    return status, json.loads(text)


def steps(state: dict[str, Any]) -> list[int]:
    """The steps that are done, at each place of each run that goes on."""
    return [each["done"] for run in state["runs"] if not run["dead"] for each in run["doing"] if each["total"]]


def losses(state: dict[str, Any]) -> list[tuple[int, float]]:
    """The losses of all trainings that go on, by their steps."""
    return [point for run in state["runs"] if not run["dead"] for each in run["doing"] for point in each["losses"]]


def kept(state: dict[str, Any]) -> int:
    """The step of a validation that a training which goes on is past: all until there is kept; 0 before the first."""
    doing = [each for run in state["runs"] if not run["dead"] for each in run["doing"] if each["validation"]]
    return max((step for each in doing for step, _ in each["validation"] if each["done"] > step), default=0)


def ended(board: Board) -> None:
    project = Project(board.root)
    with suppress(ValueError):
        launch.stop(project, "local")
    waited(lambda: launch.process_of(project, "local") is None)


def test_a_run_is_started_once_found_again_stopped_and_goes_on(running_board: Board) -> None:
    project = Project(running_board.root)
    answers: list[tuple[int, dict[str, Any]]] = []
    tabs = [Thread(target=lambda: answers.append(told(running_board, "start", workers=1))) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(status for status, _ in answers) == [200, 422, 422, 422]
    reasons = {found["error"] for _, found in answers if "error" in found}
    assert all("local' runs already, as process" in reason for reason in reasons)
    try:
        with shown(running_board.root) as other:  # as another board, or the same one started again
            seen = Followed(Project(other.root), "local")
            assert waited(lambda: losses(seen.look()))[0][1] > 0
            passed = waited(lambda: kept(seen.look()))
            status, found = told(other, "start")
            assert status == 422 and "runs already" in found["error"]
            assert told(other, "stop")[0] == 200
            waited(lambda: seen.look()["state"] == IDLE)
            found = seen.look()
            assert "interrupted" in found["last"] or found["runs"][0]["dead"]  # the latter where it takes too long
        assert told(running_board, "stop")[1]["error"] == "'local' does not run on this machine"
        assert told(running_board, "start", workers=1)[0] == 200
        again = Followed(project, "local")
        step = waited(
            lambda: (
                again.look()["state"] == RUNNING and [x["done"] for x in again.look()["runs"][0]["doing"] if x["total"]]
            )
        )
        assert step[0] >= passed > 1
    finally:
        ended(running_board)


def test_what_is_refused_is_said_by_the_run_itself(running_board: Board) -> None:
    path = running_board.root / "raw/mood/train.jsonl"
    path.write_text("not JSON\n", encoding="utf-8")
    assert told(running_board, "start")[0] == 200
    seen = Followed(Project(running_board.root), "local")
    found = waited(lambda: (state := seen.look())["refused"] and state)
    assert found["state"] == "refused" and "train" in found["refused"]


@pytest.mark.parametrize(("day", "state"), [("30", "refused"), ("31", "idle")])
def test_a_refusal_may_stand_behind_other_lines(running_board: Board, day: str, state: str) -> None:
    project = Project(running_board.root)
    claim = Holder(None, socket.gethostname(), 1, GONE, "2026-01-31T12:00:00+00:00", "here")
    write_json(launch.folder(project) / "local.json", asdict(claim))
    log = "fetching model 'x'\nError: it is not there\nINFO: more\n"
    launch.log_of(project, "local").write_text(log, encoding="utf-8")
    signs.ended(rows_of(project, "local").runs, f"2026-01-{day}T12.05.00.000Z", "failed")
    found = Followed(project, "local").look()
    assert (found["state"], found["refused"]) == (state, "it is not there" if state == "refused" else "")


def test_the_queue_is_files_and_is_taken_in_order(running_board: Board) -> None:
    project = Project(running_board.root)
    runs = launch.folder(project) / "local.json"  # as long as one runs, here this process, the queue is not taken
    write_json(runs, asdict(Holder(None, socket.gethostname(), os.getpid(), str(me()), "", "here")))
    assert told(running_board, "queue", env="smoke")[1]["queue"] == ["smoke"]
    assert told(running_board, "queue", env="smoke")[0] == 422
    assert told(running_board, "unqueue", env="smoke")[1]["queue"] == []
    assert "does not wait" in told(running_board, "unqueue", env="smoke")[1]["error"]
    queue_files.add(project, "nowhere")
    runs.unlink()
    waited(lambda: queue_files.waiting(project) == [])
    assert launch.log_of(project, "nowhere").read_text(encoding="utf-8").startswith("Error: environment: unknown name")
