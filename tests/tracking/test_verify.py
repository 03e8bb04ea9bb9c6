"""``kedro verify`` finds what was changed or removed behind a run's back, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project
from recorded import LORA, RUNS, ids, lines, only, original, recorded  # noqa: F401

CELL = "tiny/mood/lora/s0"


def test_what_stands_as_it_was_made_is_as_on_record(recorded: Project) -> None:  # noqa: F811
    result = recorded.kedro("verify")
    assert result.exit_code == 0, result.output
    assert lines(result)[-1].endswith(" checks passed")


def spoil(path: Path) -> None:
    """Change one byte, as a failing disk would."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def inflate(path: Path) -> None:
    """Change a recorded score."""
    found = json.loads(path.read_text())
    found["cells"][LORA]["numbers"]["accuracy"] = 0.99
    path.write_text(json.dumps(found))


CHECKPOINT = f"06_models/{CELL}/checkpoint/*/checkpoint/adapter_model.safetensors"
CASES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "tensors": (CHECKPOINT, spoil, f"checkpoint of {LORA}: adapter_model.safetensors: differs"),
    "tensors gone": (CHECKPOINT, Path.unlink, f"checkpoint of {LORA}: adapter_model.safetensors: missing"),
    "answers gone": (
        f"07_model_output/{CELL}/predictions.jsonl",
        Path.unlink,
        f"predictions of {LORA}: predictions.jsonl: missing",
    ),
    "metrics": (f"07_model_output/{CELL}/metrics.json", spoil, f"metrics of {LORA}: metrics.json: differs"),
    "adapted": (
        "03_primary/mood/adapted/*/adapted/train.parquet",
        spoil,
        "adapted rows of mood: train.parquet: differs",
    ),
    "rows": ("08_reporting/runs/*/rows.yml", spoil, "rows of run"),
    "rows gone": ("08_reporting/runs/*/rows.yml", Path.unlink, "rows of run"),
    "rows that are no YAML": ("08_reporting/runs/*/rows.yml", lambda path: path.write_text("{"), "rows of run"),
    "score": ("08_reporting/runs/*/manifest.json", inflate, f"accuracy of {LORA}: is 0 now, 0.99 on record"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_is_named(case: str, recorded: Project) -> None:  # noqa: F811
    pattern, change, expected = CASES[case]
    if case == "metrics":
        path = only(pattern)
        path.write_text(path.read_text().replace('"accuracy": 0.0', '"accuracy": 0.5'))
    else:
        change(only(pattern))
    result = recorded.kedro("verify")
    assert result.exit_code == 1, result.output
    assert any(line.startswith(expected) for line in lines(result)), result.output


def test_the_table_and_the_bounds_of_a_score_are_looked_at(recorded: Project) -> None:  # noqa: F811
    (run_id,) = ids()
    spoil(only("08_reporting/results.parquet/*/results.parquet"))
    path = RUNS / run_id / "manifest.json"
    found = json.loads(path.read_text())
    found["cells"][LORA]["numbers"]["primary_high"] = 0.99
    path.write_text(json.dumps(found))
    result = recorded.kedro("verify")
    assert result.exit_code == 1
    assert "results: results.parquet: differs" in lines(result)
    assert any(line.startswith(f"primary_high of {LORA}: is ") for line in lines(result))


def test_raw_rows_and_weights_are_looked_at(recorded: Project) -> None:  # noqa: F811
    spoil(Path("model/model.safetensors"))
    Path("raw/mood/train.jsonl").write_text(Path("raw/mood/train.jsonl").read_text() + "\n")
    result = recorded.kedro("verify")
    assert result.exit_code == 1
    assert "weights of tiny: model.safetensors: differs" in lines(result)
    assert "raw rows of mood: train.jsonl: differs" in lines(result)


def test_kept_answers_are_scored_by_the_runs_own_row(recorded: Project) -> None:  # noqa: F811
    recorded.parameters["tasks"]["mood"]["labels"] = {0: "awful", 1: "great"}
    (first,) = ids()
    result = recorded.kedro("verify", first)
    assert result.exit_code == 0, result.output


def test_an_old_run_can_be_verified_after_a_new_one(recorded: Project) -> None:  # noqa: F811
    (first,) = ids()
    recorded.parameters["training"]["epochs"] = 2
    assert recorded.kedro("run").exit_code == 0
    assert len(list((RUNS / "predictions").iterdir())) >= 1
    for run_id in (first, ids()[1]):
        result = recorded.kedro("verify", run_id)
        assert result.exit_code == 0, result.output
    for path in (RUNS / "predictions").iterdir():
        spoil(path)
    result = recorded.kedro("verify", first)
    assert f"kept answers of {LORA}: differs" in lines(result)


def test_an_unknown_run_is_one_line(recorded: Project) -> None:  # noqa: F811
    result = recorded.kedro("verify", "2020-01-01T00.00.00.000Z")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: RUN_ID: unknown run '2020-01-01T00.00.00.000Z'")
