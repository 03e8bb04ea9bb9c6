"""The whole thing on the embedded model by its real command: run, run again, lose a file, be killed, resume."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from peft_pipelines.files.atomic import read_json
from peft_pipelines.storage.remembered import CHECKED

pytestmark = pytest.mark.real

PROJECT = Path(__file__).parents[2]
KEDRO = Path(sys.executable).with_name("kedro")
CELL = "cell.lora.smollm2_135m.sst2.s0"
LONGER = "training.epochs=4,training.evaluations=4"
KINDS = {".txt", ".parquet", ".json", ".jsonl", ".safetensors", ".csv", ".md", ".yml", ".tex", ".html"}


def command(store: Path, *options: str, params: str = "") -> list[str]:
    """The command line of a smoke run into a store."""
    values = ",".join(filter(None, [f"store={store}", params]))
    return [str(KEDRO), "run", "--pipeline=benchmark", "--env=smoke", f"--params={values}", *options]


def run(store: Path, *options: str, params: str = "") -> str:
    """Run to the end and return what was printed."""
    done = subprocess.run(
        command(store, *options, params=params),
        cwd=PROJECT,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "CI": "true"}


def files(store: Path) -> dict[str, int]:
    """The files that cells made, with the time of their last change; not what is remembered of reading them."""
    return {
        str(path.relative_to(store)): path.stat().st_mtime_ns
        for layer in ("03_primary", "05_model_input", "06_models", "07_model_output")
        for path in (store / layer).rglob("*")
        if path.is_file() and path.name != CHECKED
    }


def tensors(store: Path) -> dict[str, bytes]:
    """The bytes of each checkpoint's tensors, by cell."""
    return {
        str(path.relative_to(store).parents[2]): path.read_bytes()
        for path in sorted(store.glob("06_models/**/checkpoint/*/checkpoint/*.safetensors"))
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """The store of a finished smoke grid."""
    store = tmp_path_factory.mktemp("smoke") / "store"
    printed = run(store)
    assert "| method" in printed and "results.csv" in printed
    return store


def test_the_table_has_a_row_for_each_cell_and_each_baseline(store: Path) -> None:
    frame = pd.read_csv(store / "08_reporting/results.csv")
    methods = ("majority", "random", "zero_shot", "bitfit", "lora")
    rows = {f"{task} {method}": "done" for task in ("sst2", "svamp") for method in methods}
    rows["svamp random"] = "nothing to draw"  # free text has no labels to draw from
    assert dict(zip(frame["task"] + " " + frame["method"], frame["status"], strict=True)) == rows


def test_nothing_written_names_a_place_of_this_machine_or_is_a_pickle(store: Path) -> None:
    for path in (path for path in store.glob("0[3-8]*/**/*") if path.is_file()):
        assert path.suffix in KINDS
        content = path.read_bytes()
        assert str(PROJECT).encode() not in content and str(store).encode() not in content, path


def test_no_training_state_is_left(store: Path) -> None:
    assert not list(store.glob("06_models/**/state/*"))


def test_a_second_run_runs_no_cell_and_builds_the_report_again(store: Path) -> None:
    before, table = files(store), (store / "08_reporting/results.md").stat().st_mtime_ns
    printed = run(store)
    assert files(store) == before
    assert printed.count(" %, unchanged\n") == 6
    assert (store / "08_reporting/results.md").stat().st_mtime_ns > table


def test_a_lost_metrics_file_is_scored_again_from_the_predictions(store: Path) -> None:
    before = files(store)
    lost = "07_model_output/smollm2_135m/sst2/lora/s0/metrics.json"
    content = read_json(store / lost)
    (store / lost).unlink()
    run(store)
    changed = {name for name, when in files(store).items() if before.get(name) != when}
    assert changed == {lost, lost.replace("metrics", "state")}
    again = read_json(store / lost)
    assert again.pop("run_id") > content.pop("run_id")
    assert again == content


@pytest.fixture(scope="module")
def by_kedros_own_runner(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """The store of one of these cells, run by the runner that knows no cells."""
    other = tmp_path_factory.mktemp("sequential") / "store"
    run(other, "--runner=SequentialRunner", f"--tags=data.sst2,{CELL}")
    return other


def test_kedros_own_runner_gives_the_same_checkpoint_and_answers(store: Path, by_kedros_own_runner: Path) -> None:
    made = tensors(by_kedros_own_runner)
    assert len(made) == 1 and made.items() <= tensors(store).items()
    answers = "07_model_output/smollm2_135m/sst2/lora/s0/predictions.jsonl"
    assert (by_kedros_own_runner / answers).read_bytes() == (store / answers).read_bytes()


@pytest.fixture
def killed(tmp_path: Path, base_folder: Path) -> Iterator[Path]:
    """The store of a training that was killed (SIGKILL) after its first state was saved."""
    store = tmp_path / "store"
    process = subprocess.Popen(
        command(store, f"--tags=data,{CELL}", params=LONGER), cwd=PROJECT, env=_environment(), stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    try:
        while not list(store.glob("06_models/**/state/*/checkpoint-*/complete")):
            assert process.poll() is None and time.monotonic() < deadline, "there was no state to be killed behind"
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    yield store


def test_a_killed_training_resumes_to_the_bytes_of_one_in_one_go(
    killed: Path, tmp_path: Path, base_folder: Path
) -> None:
    assert not tensors(killed), "killed too late to show anything"
    whole = tmp_path / "whole"
    for place in (killed, whole):
        run(place, f"--tags=data,{CELL}", params=LONGER)
    resumed, steps = tensors(killed), _record(killed)["steps"]
    assert resumed == tensors(whole) and len(resumed) == 1
    assert steps == _record(whole)["steps"] == 8


def _record(store: Path) -> dict[str, int]:
    found: dict[str, int] = read_json(next(store.glob("06_models/**/record.json")))
    return found
