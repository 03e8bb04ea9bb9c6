"""Decoding values on the command line: answers of a split by them, and mistakes before a model is read."""

import json
from pathlib import Path

import pandas as pd
import pytest
from catalogs import stored
from project import Project, project
from recorded import LORA, original, recorded

from peft_pipelines.models import base_model

__all__ = ["original", "project", "recorded"]


def test_a_split_is_answered_as_scored_or_by_chosen_values(recorded: Project) -> None:
    done = recorded.kedro("predict", LORA, "--split", "test", "--output", "out.jsonl")
    assert done.exit_code == 0 and "not the benchmark's" not in done.output, done.output
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in stored(LORA)]
    assert "| accuracy" in done.stdout
    chosen = ["--rows=2", "--max-new-tokens=1", "--temperature=0.5", "--top-k=5", "--top-p=0.9", "--sampling-seed=3"]
    done = recorded.kedro("predict", LORA, "--split", "test", "--output", "few.csv", *chosen)
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[-1] == "answers by chosen decoding values: these are not the benchmark's scores"
    assert pd.read_csv("few.csv")["new_tokens"].tolist() == [1, 1]
    other = recorded.kedro("predict", LORA, "--split", "validation", "--output", "-", *chosen[:2])
    assert other.exit_code == 0 and len(other.stdout.splitlines()) == 2, other.output


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--split=test", "--input=x.csv"], "--input, --split: give one of them: a file of rows, or a split"),
        ([], "--input, --split: give one of them"),
        (["--input=x.csv", "--rows=3"], "--rows: is not for --input"),
        (["--split=test", "--ignore-labels"], "--ignore-labels: is not for --split"),
        (["--split=train"], "split: unknown split 'train'. Allowed: validation, test"),
        (["--split=test", "--temperature=0"], "--temperature: must be greater than 0, got 0.0"),
        (["--split=test", "--temperature=hot"], "--temperature: must be a number, got 'hot'"),
        (["--split=test", "--top-p=0.5"], "--top-p: is for answers with a temperature, got 0.5 without one"),
        (["--split=test", "--sampling-seed=x"], "--sampling-seed: must be a whole number, got 'x'"),
        (["--split=test", "--max-new-tokens=0"], "--max-new-tokens: must be a whole number from 1 to 1000, got '0'"),
    ],
)
def test_a_mistake_is_one_line(
    recorded: Project, monkeypatch: pytest.MonkeyPatch, given: list[str], words: str
) -> None:
    monkeypatch.setattr(base_model, "resident", lambda *_: pytest.fail("a model is read"))
    done = recorded.kedro("predict", LORA, "--output", "out.csv", *given)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), done.output
    assert done.stderr.startswith(f"Error: {words}")
