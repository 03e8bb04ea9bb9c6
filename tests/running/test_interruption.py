"""A signal ends a run within seconds, in words, with the exit code that a shell expects, and nothing is held after."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import Project, project  # noqa: F401
from recorded import RUNS, ids, manifest

from peft_pipelines.files.status import Status
from peft_pipelines.files.system import ENDING
from peft_pipelines.inference import answerer
from peft_pipelines.running import interruption
from peft_pipelines.running.interruption import Stopped, stopping


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Signals are not ignored, as nohup has it of SIGHUP: a run respects that, and would never end."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in ENDING}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def told(number: int, when: Callable[[], bool] = lambda: True) -> None:
    """Send this process a signal, as soon as something is true."""

    def send() -> None:
        patience = time.monotonic() + 60
        while not when() and time.monotonic() < patience:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_says_what_stands_and_goes_on_later(
    project: Project,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    code: int,
) -> None:
    project.grid["methods"] = ["zero_shot", "lora"]
    assert project.kedro("run", "--tags=data.mood,cell.zero_shot.tiny.mood.s0").exit_code == 0
    begun: list[float] = []

    def endless(*_: object) -> None:
        begun.append(time.monotonic())
        while True:
            time.sleep(0.01)

    with monkeypatch.context() as patched:
        patched.setattr(answerer, "generate_and_score", endless)
        told(number, lambda: bool(begun))
        result = project.kedro("run")
    assert time.monotonic() - begun[0] < 5
    assert result.exit_code == code
    line = result.stderr.splitlines()[-1]
    where = "at lora · tiny · mood · s0 (generate); 1 of 2 cells stand"
    assert line == f"interrupted by {number.name} {where}. To go on: the same kedro run"
    found = manifest(ids()[-1])
    assert (found["status"], found["reason"]) == (Status.INTERRUPTED, f"interrupted by {number.name} {where}")
    assert found["cells"]["zero_shot.tiny.mood.s0"]["status"] == Status.DONE
    assert not list(Path("data").rglob("claim.json"))
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    assert "1 of 2 cells are unchanged" in result.stderr
    assert json.loads((RUNS / ids()[-1] / "manifest.json").read_text())["status"] == Status.DONE


SEARCH, REPORT = "06_models/tiny/mood/lora/s0/state/*/trial.json", "08_reporting/data_report.json"
AT = {SEARCH: "at lora · tiny · mood · s0 (train); 0 of 1 cells stand", REPORT: "at report; 1 of 1 cells stand"}


@pytest.mark.parametrize(("number", "code", "reached"), [(signal.SIGTERM, 143, SEARCH), (signal.SIGINT, 130, REPORT)])
def test_a_search_and_a_report_end_within_seconds_and_go_on(
    project: Project,  # noqa: F811
    number: signal.Signals,
    code: int,
    reached: str,
) -> None:
    project.grid |= {"methods": ["lora"], "lr_search": {"factors": [0.5, 1.0, 2.0]}}
    arrived: list[float] = []

    def there() -> bool:
        found = any(Path("data").glob(reached))
        arrived.extend([time.monotonic()] * found)
        return found

    told(number, there)
    result = project.kedro("run")
    assert time.monotonic() - arrived[0] < 5
    assert result.exit_code == code, result.output
    assert result.stderr.splitlines()[-1] == f"interrupted by {number.name} {AT[reached]}. To go on: the same kedro run"
    assert manifest(ids()[-1])["status"] == Status.INTERRUPTED
    assert not [path for path in Path("data").rglob("*") if path.name == "claim.json" or path.suffix == ".part"]
    assert project.kedro("run").exit_code == 0
    assert manifest(ids()[-1])["status"] == Status.DONE


def test_signals_are_as_before_behind_the_block() -> None:
    before = [signal.getsignal(each) for each in ENDING]
    with pytest.raises(Stopped, match="SIGTERM"), stopping(), stopping():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert [signal.getsignal(each) for each in ENDING] == before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_swallowed_interrupt_is_raised_at_the_next_look() -> None:
    with pytest.raises(Stopped), stopping():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except BaseException:
            pass
        interruption.check()


@pytest.mark.parametrize("signals", [1, 2])
def test_a_run_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch, signals: int) -> None:
    monkeypatch.setattr(interruption, "PATIENCE", 0.2 if signals == 1 else 60)
    child = os.fork()
    if not child:
        with stopping():
            for _ in range(signals):
                try:
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(0.1)
                except BaseException:
                    pass
            time.sleep(60)
        os._exit(0)
    started = time.monotonic()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 143
    assert time.monotonic() - started < 5
