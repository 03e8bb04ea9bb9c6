"""What was damaged behind a run's back is named in one line, put aside, and made again; nothing is removed."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from trivial import CALLS, ERRORS, catalog, pipeline, ran

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.failures import PartsFailed

Change = Callable[[Path], object]
CELL, DATA = "m/x/a/s0", "data/x"
CHECKPOINT = f"{CELL}/checkpoint.json/1/checkpoint.json"


@pytest.fixture(autouse=True)
def _no_faults() -> Iterator[None]:
    ERRORS.clear()
    yield
    ERRORS.clear()


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff\xfe garbage")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def with_its_old_times(path: Path) -> None:
    before = path.stat()
    flipped(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def another_value(path: Path) -> None:
    path.write_text(path.read_text().replace("0.5", "0.9"))


def another_kind(path: Path) -> None:
    path.write_text('{"unit": "cell.a.m.x.s0", "fingerprint": null, "nodes": {"a": []}}')


def of_another_cell(path: Path) -> None:
    path.write_text(path.read_text().replace("cell.a.m.x.s0", "cell.b.m.x.s0"))


SCORE, TRAIN = ["score.a.x"], ["construct.a", "train.a.x", "score.a.x"]
ADAPT = ["adapt.x"]
CASES: dict[str, tuple[str, Change, list[str], str]] = {
    "metrics cut": (f"{CELL}/metrics.json", half, SCORE, "metrics.json differs from the record"),
    "metrics empty": (f"{CELL}/metrics.json", empty, SCORE, "metrics.json differs from the record"),
    "metrics garbage": (f"{CELL}/metrics.json", garbage, SCORE, "metrics.json differs from the record"),
    "metrics by hand": (f"{CELL}/metrics.json", another_value, SCORE, "metrics.json differs from the record"),
    "metrics flipped": (f"{CELL}/metrics.json", with_its_old_times, SCORE, "metrics.json differs from the record"),
    "checkpoint flipped": (CHECKPOINT, flipped, TRAIN, "checkpoint.json differs from the record"),
    "checkpoint cut": (CHECKPOINT, half, TRAIN, "checkpoint.json differs from the record"),
    "state cut": (f"{CELL}/state.json", half, TRAIN, "state.json cannot be read (Unterminated string"),
    "state empty": (f"{CELL}/state.json", empty, TRAIN, "state.json cannot be read (Expecting value"),
    "state garbage": (f"{CELL}/state.json", garbage, TRAIN, "state.json cannot be read ('utf-8' codec"),
    "state another kind": (
        f"{CELL}/state.json",
        another_kind,
        TRAIN,
        "state.json cannot be read (nodes.a: must be a row of fields, got []",
    ),
    "state of another": (f"{CELL}/state.json", of_another_cell, TRAIN, "state.json cannot be read (is of 'cell.b."),
    "prompts flipped": (f"{DATA}/prompts.json", flipped, ADAPT, "prompts.json differs from the record"),
    "state of data": (f"{DATA}/state.json", half, ADAPT, "state.json cannot be read"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    ran(pipeline(), catalog(folder))
    return folder


@pytest.mark.parametrize("case", CASES)
def test_it_is_named_put_aside_and_made_again(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, change, again, problem = CASES[case]
    ran(pipeline(), catalog(tmp_path))
    sound, path = (tmp_path / "results.json").read_bytes(), tmp_path / name
    change(path)
    damaged = path.read_bytes()
    capsys.readouterr()
    CALLS.clear()
    CellRunner().run(pipeline(), catalog(tmp_path, version="2"), run_id="2")
    title = "x" if name.startswith(DATA) else "a · m · x · s0"
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "put aside" in line]
    assert line.startswith(f"{title}: {problem}"), line
    (aside,) = [part for part in tmp_path.rglob("damaged-2/**/*") if part.is_file()]
    assert aside.read_bytes() == damaged
    assert again == CALLS
    assert (tmp_path / "results.json").read_bytes() == sound
    assert ran(pipeline(), catalog(tmp_path, version="3")) == []
    assert "put aside" not in capsys.readouterr().err


def test_what_is_gone_is_named_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / CHECKPOINT).unlink()
    capsys.readouterr()
    assert ran(pipeline(), catalog(tmp_path, version="2")) == TRAIN
    assert "a · m · x · s0: checkpoint.json is gone" in capsys.readouterr().err


def test_a_second_damage_of_a_file_in_one_run_is_kept_as_well(tmp_path: Path) -> None:
    for content in ("one", "two"):
        ran(pipeline(), catalog(tmp_path, version=content))
        (tmp_path / CELL / "metrics.json").write_text(content)
        CellRunner().run(pipeline(), catalog(tmp_path, version=f"{content} again"), run_id="2")
    kept = sorted((tmp_path / CELL / "damaged-2").iterdir())
    assert [(path.name, path.read_text()) for path in kept] == [("metrics.json", "one"), ("metrics.json.2", "two")]


def test_cells_on_damaged_data_that_the_run_does_not_make_are_refused(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    flipped(tmp_path / DATA / "prompts.json")
    one = pipeline().filter(tags=["cell.a.m.x.s0"])
    with pytest.raises(ConfigError, match=r"x_prompts: prompts.json differs .* run the pipeline data first"):
        ran(one, catalog(tmp_path, version="2"))
    assert ran(pipeline().filter(tags=["cell.a.m.y.s0"]), catalog(tmp_path, version="3")) == []


def test_a_report_alone_reads_no_damaged_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran(pipeline(), catalog(tmp_path))
    another_value(tmp_path / CELL / "metrics.json")
    ran(pipeline().filter(node_names=["collect"]), catalog(tmp_path, version="2"))
    assert "metrics.json differs from the record, put aside in" in capsys.readouterr().err
    assert json.loads((tmp_path / "results.json").read_text())["a.m.x.s0"] is None
    assert ran(pipeline(), catalog(tmp_path, version="3")) == SCORE


@pytest.mark.parametrize("change", [half, empty, garbage])
def test_a_damaged_list_of_failed_parts_is_written_anew(tmp_path: Path, change: Change) -> None:
    ran(pipeline(), catalog(tmp_path))
    change(tmp_path / "failed_parts.json")
    assert ran(pipeline(), catalog(tmp_path, version="2")) == []
    assert json.loads((tmp_path / "failed_parts.json").read_text()) == []


@pytest.mark.parametrize("change", [Path.unlink, half, garbage])
def test_lost_hashes_are_computed_again(tmp_path: Path, change: Change) -> None:
    ran(pipeline(), catalog(tmp_path))
    known = json.loads((tmp_path / CELL / "checked.json").read_text())
    change(tmp_path / CELL / "checked.json")
    assert ran(pipeline(), catalog(tmp_path, version="2")) == []
    assert json.loads((tmp_path / CELL / "checked.json").read_text()) == known


def test_a_large_file_that_nobody_touched_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(pipeline(), catalog(tmp_path))
    read: list[Any] = []
    monkeypatch.setattr("peft_pipelines.storage.remembered.sha256", read.append)
    assert ran(pipeline(), catalog(tmp_path, version="2")) == []
    assert read == []


def test_a_failed_cell_with_damage_is_recorded(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    half(tmp_path / CHECKPOINT)
    ERRORS["train.a.x"] = ValueError("no")
    with pytest.raises(PartsFailed, match="1 of 4 cells failed"):
        ran(pipeline(), catalog(tmp_path, version="2"))
    ERRORS.clear()
    assert ran(pipeline(), catalog(tmp_path, version="3")) == TRAIN
