"""The rows of conf/base, read from its files; no library that is slow to import is needed for that."""

import os
from pathlib import Path
from typing import Any

import yaml

from peft_pipelines.config import MethodSpec, SamplingSpec, TaskSpec, TrainingSpec, parse
from peft_pipelines.methods.installed import is_installed
from peft_pipelines.models.memory import ON_CPU

PROJECT = Path(__file__).parents[2]
os.environ.setdefault("PEFT_DIR", str(PROJECT / "methods"))
PARAMETERS = PROJECT / "conf" / "base" / "parameters"


def rows_of(axis: str) -> dict[str, Any]:
    """All rows of an axis of conf/base, by name, as the YAML has them."""
    files = sorted(PARAMETERS.rglob("*.yml"))
    return {name: row for file in files for name, row in yaml.safe_load(file.read_text()).get(axis, {}).items()}


ROWS = {name: parse(MethodSpec, f"method '{name}'", {**row, "name": name}) for name, row in rows_of("methods").items()}
METHODS = {name: row for name, row in ROWS.items() if is_installed(row.provider)}
"""The method rows that this environment has the library for; conftest.py says which are left out, and skips tests that
name one of them."""

TASKS = rows_of("tasks")
ALL_ROWS = SamplingSpec(
    split_seed=0, validation_share=0.1, train_rows=None, train_unit="question", validation_rows=None, test_rows=None
)


def task_of(name: str) -> TaskSpec:
    """A task row of conf/base."""
    return parse(TaskSpec, f"task '{name}'", {**TASKS[name], "name": name})


def training_args(**values: Any) -> TrainingSpec:
    """The shared training arguments with some values of one's own, and with the sizes that are chosen for a CPU."""
    row = yaml.safe_load((PARAMETERS / "training.yml").read_text())["training"]
    return parse(TrainingSpec, "training", {**row, **ON_CPU, **values})
