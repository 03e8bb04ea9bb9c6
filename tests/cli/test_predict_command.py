"""``kedro predict``: the answers to a file are those of the cell's scores, in each format, also in several goes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from catalogs import folder_of, stored
from click.testing import CliRunner, Result
from project import ROWS, Project, project
from recorded import LORA, ZERO, ids, original, recorded
from rich.progress import Progress

from peft_pipelines.cli import predict_command
from peft_pipelines.files import progress
from peft_pipelines.models import base_model
from peft_pipelines.serving import parts
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.probabilities import probabilities

__all__ = ["original", "project", "recorded"]

TEST = ROWS[:4]
PARTS = Path(".out.jsonl.parts")


def written(name: str, rows: list[dict[str, Any]]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def expected(cell: str = LORA) -> list[dict[str, Any]]:
    """What the stored predictions of the test rows say, as the command writes it."""
    found = []
    for row in stored(cell):
        likely = probabilities(row["label_scores"])
        shares = {f"probability_{label}": share for label, share in likely.items()}
        found.append({"prediction": row["prediction"], **shares, **{k: row[k] for k in ("new_tokens", "stopped")}})
    return found


def predicted(where: Project, source: str, target: str, *more: str, cell: str = LORA) -> Result:
    return where.kedro("predict", cell, "--input", source, "--output", target, *more)


def test_the_answers_to_a_file_are_those_that_were_scored(recorded: Project) -> None:
    pd.DataFrame(TEST).to_csv("in.csv", index=False)
    done = predicted(recorded, "in.csv", "out.parquet")
    assert done.exit_code == 0, done.output
    frame = pd.read_parquet("out.parquet")
    added = frame.drop(columns=["sentence", "label"])
    assert added.to_dict("records") == expected()
    assert frame["sentence"].tolist() == [row["sentence"] for row in TEST]
    numbers = json.loads((folder_of(LORA) / "metrics.json").read_text())
    low, high = (100 * numbers[f"primary_{end}"] for end in ("low", "high"))
    assert f"| {100 * numbers['accuracy']:.1f} % ({low:.1f} to {high:.1f}) |" in done.stdout
    assert done.stdout.splitlines()[-1] == f"out.parquet: 4 rows answered by {LORA}, checkpoint {ids()[0]}"
    assert done.stderr == f"{LORA}: 4 of 4 rows\n"
    assert sorted(path.name for path in Path().glob("*out*")) == ["out.parquet"]


def test_each_format_and_a_pipe_hold_the_same(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = [{"sentence": row["sentence"], "n": number} for number, row in enumerate(TEST)]
    pd.DataFrame(bare).to_parquet("in.parquet")
    done = predicted(recorded, "in.parquet", "out.csv")
    assert done.exit_code == 0 and "accuracy" not in done.stdout, done.output
    answers = [{**row, **answer} for row, answer in zip(bare, expected(), strict=True)]
    read = pd.read_csv("out.csv").to_dict("records")
    assert [row["n"] for row in read] == [0, 1, 2, 3]
    assert [row["probability_bad"] for row in read] == pytest.approx([row["probability_bad"] for row in answers])
    text = Path(written("in.jsonl", bare)).read_text()
    monkeypatch.setattr(CliRunner, "invoke", _with(text))
    piped = predicted(recorded, "-", "-")
    assert [json.loads(line) for line in piped.stdout.splitlines()] == answers
    assert piped.stderr.splitlines()[-1].startswith("standard output: 4 rows answered by")


def _with(text: str) -> Any:
    invoke = CliRunner.invoke
    return lambda self, *given: invoke(self, *given, input=text)


def test_a_prediction_that_was_stopped_goes_on(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROWS", 2)
    written("in.jsonl", ROWS)
    assert predicted(recorded, "in.jsonl", "whole.jsonl").exit_code == 0
    answer, asked = LoadedCell.answer, []

    def stopped(self: LoadedCell, rows: Any) -> Any:
        asked.append(len(rows))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return answer(self, rows)

    monkeypatch.setattr(LoadedCell, "answer", stopped)
    done = predicted(recorded, "in.jsonl", "out.jsonl")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        130,
        "stopped with 4 of 12 rows answered; the same command goes on",
    )
    assert not Path("out.jsonl").exists() and len(list(PARTS.glob("0*.jsonl"))) == 2
    other = predicted(recorded, "in.jsonl", "out.jsonl", cell=ZERO)
    assert other.stderr.startswith("Error: --output: '.out.jsonl.parts' holds parts of a prediction with another cell")
    assert predicted(recorded, "in.jsonl", "out.jsonl").exit_code == 0
    assert asked == [2] * 7 and not PARTS.exists()
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_prompts_that_lose_text_are_told(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROWS", 2)
    long = [{"sentence": "long " * 400}, {"sentence": "short"}, {"sentence": "longer " * 400}]
    source, line = written("in.jsonl", long), "2 of 3 prompts were too long and lost their middle, as in scoring"
    done = predicted(recorded, source, "out.jsonl")
    assert done.stdout.splitlines()[-2] == line
    assert "truncated" not in lines("out.jsonl")[0]
    assert predicted(recorded, source, "-").stderr.splitlines()[-2] == line
    assert "too long" not in predicted(recorded, written("short.jsonl", TEST), "short.csv").output


def test_a_mistake_is_one_line_before_a_model_is_read(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_model, "resident", lambda *_: pytest.fail("a model is read"))
    good, other = written("in.jsonl", TEST), written("other.jsonl", [{"text": "x"}])
    taken = written("taken.jsonl", [{"sentence": "x", "prediction": "y"}])
    Path("there.csv").touch()
    Path("in.txt").touch()
    Path("empty.csv").touch()
    for (source, target, cell), words in {
        (good, "out.xlsx", LORA): "--output 'out.xlsx': unknown ending '.xlsx'. Allowed: .parquet, .csv, .jsonl",
        (good, "there.csv", LORA): "--output: must not exist yet, got 'there.csv'; --overwrite replaces it",
        ("in.txt", "out.csv", LORA): "--input 'in.txt': unknown ending '.txt'. Allowed: .parquet, .csv, .jsonl, .json",
        ("no.csv", "out.csv", LORA): "--input: must be a file, got 'no.csv'",
        ("empty.csv", "out.csv", LORA): "--input 'empty.csv': must hold at least 1 row, got none",
        (other, "out.csv", LORA): "task 'mood', row 1: unknown column 'sentence'. Allowed: text",
        (taken, "out.csv", LORA): "--input: must not have the column 'prediction', which holds answers; rename it",
        (good, "out.csv", "loar.tiny.mood.s0"): "cell: unknown method 'loar', did you mean 'lora'? Allowed: ",
        (good, "out.csv", "lora.tiny.mood.s1"): "cell 'lora.tiny.mood.s1': has not been made (looked in ",
    }.items():
        done = predicted(recorded, source, target, cell=cell)
        assert (done.exit_code, done.stdout) == (1, ""), (words, done.output)
        assert done.stderr.startswith(f"Error: {words}") and len(done.stderr.splitlines()) == 1, done.stderr


def test_each_part_is_told_once_however_often_its_rows_are_gone_through(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = LoadedCell.answer

    def twice(self: LoadedCell, rows: Any) -> Any:
        progress.step("generate", len(rows), len(rows))  # as likelihoods of continuations do
        return answer(self, rows)

    monkeypatch.setattr(LoadedCell, "answer", twice)
    monkeypatch.setattr(parts, "ROWS", 2)
    done = predicted(recorded, written("in.jsonl", TEST), "out.jsonl")
    assert done.stderr == f"{LORA}: 2 of 4 rows\n{LORA}: 4 of 4 rows\n"


def test_the_bar_never_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[float] = []

    def update(bar: Progress, _: object, completed: float) -> None:
        updates.append(completed)
        bar.tasks[0].completed = completed

    monkeypatch.setattr(Progress, "update", update)
    answered: list[dict[str, Any]] = []
    with predict_command._bar("cell", 8, answered) as show_done:
        for done in (2, 4, 1, 4):
            progress.step("generate", done, 4)
        answered.extend({} for _ in range(4))
        show_done()
        progress.step("generate", 1, 4)
    progress.listen(None)
    assert updates == [2, 4, 4, 4, 4, 5]


def test_a_run_without_a_name_is_refused(recorded: Project) -> None:
    done = predicted(recorded, written("in.jsonl", TEST), "out.jsonl", "--run=")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: --run: must be a name, got ''; leave the option out for its default\n",
    )
