"""The embedded model for tests of the real thing: fetched once, then read from the project's data folder."""

from pathlib import Path

import pytest
import yaml

from peft_pipelines import models
from peft_pipelines.fetch import fetch_model
from peft_pipelines.specs import ModelSpec, parse

PROJECT = Path(__file__).parents[1]
ROWS = yaml.safe_load((PROJECT / "conf/base/parameters/models.yml").read_text(encoding="utf-8"))["models"]
EMBEDDED = next(name for name, row in ROWS.items() if "package" in row)


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
def base(base_spec: ModelSpec, base_folder: Path) -> models.Base:
    """The embedded model, resident."""
    return models.load(base_spec, base_folder)
