"""A damaged record of a run is one line, whichever command reads it; what was damaged of a store is made again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project
from recorded import LORA, RUNS, ids, lines, only, original, recorded  # noqa: F401

from peft_pipelines.tracking.runs import keep

Change = Callable[[Path], object]
CHECKPOINT = "06_models/tiny/mood/lora/s0/checkpoint/*/checkpoint/adapter_model.safetensors"


def half(path: Path) -> None:
    """The lines up to the middle: JSON that ends where something else is due, whatever stands in its texts."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_list(path: Path) -> None:
    path.write_text("[]")


def without_cells(path: Path) -> None:
    found = json.loads(path.read_text())
    found["cells"] = [LORA]
    path.write_text(json.dumps(found))


def with_another_rate(path: Path) -> None:
    path.write_text(path.read_text().replace("split_seed: 0", "split_seed: 1") + "\n# a note\n")


MANIFEST: list[tuple[Change, str]] = [
    (half, "is damaged (Expecting"),
    (empty, "is damaged (Expecting value"),
    (a_list, "is damaged (content: Input should be a valid dictionary"),
    (without_cells, "is damaged (cells: Input should be a valid dictionary"),
    (Path.unlink, "is damaged (No such file or directory"),
]
ROWS: list[tuple[Change, str]] = [
    (half, "is damaged (it differs from its hash in the manifest)"),
    (empty, "is damaged (it differs from its hash in the manifest)"),
    (with_another_rate, "is damaged (it differs from its hash in the manifest)"),
    (Path.unlink, "is damaged (No such file or directory)"),
]


@pytest.mark.parametrize(("change", "problem"), MANIFEST)
def test_a_damaged_manifest_is_one_line(recorded: Project, change: Change, problem: str) -> None:  # noqa: F811
    (run_id,) = ids()
    change(RUNS / run_id / "manifest.json")
    for command in (["verify", run_id], ["reproduce", run_id], ["compare", run_id, run_id]):
        result = recorded.kedro(*command)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"Error: run '{run_id}': its manifest.json {problem}"), line


@pytest.mark.parametrize(("change", "problem"), ROWS)
def test_damaged_rows_are_one_line(recorded: Project, change: Change, problem: str) -> None:  # noqa: F811
    (run_id,) = ids()
    change(RUNS / run_id / "rows.yml")
    for command in (["reproduce", run_id], ["compare", run_id, run_id]):
        result = recorded.kedro(*command)
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1].startswith(f"Error: run '{run_id}': its rows.yml {problem}")
    assert "rows of run" in recorded.kedro("verify", run_id).stdout


def test_a_store_with_damage_is_whole_again_after_a_run(recorded: Project) -> None:  # noqa: F811
    (before,) = ids()
    half(only(CHECKPOINT))
    half(only("07_model_output/tiny/mood/zero_shot/s0/state.json"))
    half(only("05_model_input/mood/prompts/test.parquet"))
    half(RUNS / before / "manifest.json")
    result = recorded.kedro("run")
    assert result.exit_code == 0, result.output
    for name in ("adapter_model.safetensors differs", "state.json cannot be read", "test.parquet differs"):
        assert any(name in line and "put aside" in line for line in result.stderr.splitlines()), result.stderr
    result = recorded.kedro("verify")
    assert result.exit_code == 0, result.output
    assert lines(result)[-1].startswith(f"run {ids()[1]}: all ")


def test_damaged_kept_answers_are_kept_again(tmp_path: Path) -> None:
    answers = tmp_path / "predictions.jsonl"
    answers.write_text("sound")
    keep(answers, "5e6a", tmp_path)
    kept = tmp_path / "predictions" / "5e6a.jsonl"
    kept.unlink()
    kept.write_text("cut")
    keep(answers, "5e6a", tmp_path)
    assert kept.read_text() == "sound"
    assert (kept.parent / "damaged-5e6a.jsonl").read_text() == "cut"
