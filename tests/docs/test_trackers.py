"""The page on trackers: its rows are rows, its script reads the runs, and its folders are there."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import yaml
from tracked import LORA, TRACKERS, ZERO, metrics_of, tracked

from peft_pipelines.config import parse
from peft_pipelines.config.run_settings import TrackersSpec
from peft_pipelines.tracking.trackers.trackers import KNOWN

__all__ = ["tracked"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/trackers.md").read_text(encoding="utf-8")
(YAML,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(PYTHON,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_line_of_the_page_names_all_there_are() -> None:
    asked = parse(TrackersSpec, "parameters", yaml.safe_load(YAML)).trackers
    allowed = TrackersSpec.model_json_schema()["properties"]["trackers"]["items"]["enum"]
    assert list(asked) == list(TRACKERS) == list(KNOWN) == allowed


def test_the_script_of_the_page_reads_each_cell(tracked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tracked)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")  # which a run in this process has set
    with redirect_stdout(io.StringIO()) as out:
        exec(PYTHON, {})
    expected = [f"{cell} FINISHED {metrics_of(tracked, cell)['primary']}" for cell in (LORA, ZERO)]
    assert sorted(out.getvalue().splitlines()) == expected


def test_what_is_looked_at_lies_where_the_page_says(tracked: Path) -> None:
    for written in re.findall(r"data/08_reporting/trackers/[\w/*-]+", PAGE):
        assert list(tracked.glob(written)), written
