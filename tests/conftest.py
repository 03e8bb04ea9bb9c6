"""The embedded model for tests of the real thing: fetched once, then read from the project's data folder."""

from pathlib import Path

import pytest
import tiny
import yaml

from peft_pipelines.config import ModelSpec, parse
from peft_pipelines.data.fetch import fetch_model
from peft_pipelines.models import base_model

PROJECT = Path(__file__).parents[1]
ROWS = yaml.safe_load((PROJECT / "conf/base/parameters/models.yml").read_text(encoding="utf-8"))["models"]
EMBEDDED = next(name for name, row in ROWS.items() if "package" in row)
LEFT_OUT = sorted(tiny.ROWS.keys() - tiny.METHODS.keys())
"""Rows of a provider whose library this environment lacks."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip each test that is given a row that is left out."""
    for item in items:
        given = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        if any(value in LEFT_OUT for value in given if isinstance(value, str)):
            item.add_marker(pytest.mark.skip(reason="the row's library is not installed"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line which rows no test has seen."""
    if LEFT_OUT:
        terminalreporter.write_line(f"left out, their library is not installed: {', '.join(LEFT_OUT)}")


@pytest.fixture(scope="session")
def base_spec() -> ModelSpec:
    """The row of the embedded model."""
    return parse(ModelSpec, f"model '{EMBEDDED}'", {**ROWS[EMBEDDED], "name": EMBEDDED})


@pytest.fixture(scope="session")
def base_folder(base_spec: ModelSpec) -> Path:
    """The embedded model's folder, where `kedro fetch` puts it."""
    folder = PROJECT / "data/01_raw/models" / base_spec.name
    fetch_model(base_spec, folder, folder.parent / "lock.json")
    return folder


@pytest.fixture(scope="session")
def base(base_spec: ModelSpec, base_folder: Path) -> base_model.Base:
    """The embedded model, resident."""
    return base_model.load(base_spec, base_folder)
