"""The fields that docs/adding.md gives for continuations, in the row of the task that it names."""

import re

import base_rows
import pytest
import yaml

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.data.example import adapt_row
from peft_pipelines.data.preprocess import FUNCTIONS
from peft_pipelines.evaluation.metrics.registry import METRICS

PAGE = (base_rows.PROJECT / "docs/adding.md").read_text(encoding="utf-8")
RAW = {"goal": "cut  bread", "sol1": " Use a knife.", "sol2": "Use a spoon.", "label": 0}


@pytest.mark.parametrize("name", ["piqa"])
def test_the_fields_of_the_page_make_contexts_and_choices(name: str) -> None:
    section = PAGE.partition("### Continuations")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```yaml\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    row = {**base_rows.TASKS[name], **yaml.safe_load(block), "name": name, "preprocess": None}
    task = parse(TaskSpec, f"task '{name}'", row)
    task.check(FUNCTIONS, METRICS)
    found = adapt_row(RAW, task, "row 0")
    assert found["context"] == "Question: cut  bread\nAnswer:"
    assert found["choices"] == [" Use a knife.", "Use a spoon."]
    assert task.continuations and task.continuations.delimiter == " "
