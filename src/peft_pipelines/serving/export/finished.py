"""A finished cell with what exports of it are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.config import Cell
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.models import base_model, gate
from peft_pipelines.models.base_model import Base
from peft_pipelines.serving.loading import weights_folder
from peft_pipelines.serving.recorded_cell import RecordedCell, recorded_cell
from peft_pipelines.storage.model_card import base_name


@dataclass(frozen=True)
class Finished:
    """A finished cell.

    Attributes:
        recorded: names, rows, run and checkpoint.
        weights: the folder of its base model.
        numbers: its scores, as ``metrics.json`` holds them; empty where another version of the cell has been scored
            since.
    """

    recorded: RecordedCell
    weights: Path
    numbers: Mapping[str, Any]

    @classmethod
    def of(cls, catalog: DataCatalog, cell: Cell, run_id: str | None = None) -> "Finished":
        """Return a cell of a store as it is on record now, or as a run has it; no weights are read.

        Raises:
            ConfigError: it failed or was not made, or its checkpoint or the base's folder is not as it must be.
        """
        recorded = recorded_cell(catalog, cell, run_id)
        weights = weights_folder(catalog, recorded.model)
        gate.opened(recorded.model, weights)
        numbers = catalog.load(names.artifact(cell, names.METRICS)) or {}
        same = numbers.get("checkpoint") == recorded.version
        return cls(recorded, weights, numbers if same else {})

    @property
    def record(self) -> dict[str, Any]:
        """The record of its training."""
        return self.recorded.checkpoint.record

    @property
    def architecture(self) -> str:
        """The base's model type, such as ``llama``."""
        return str(gate.opened(self.recorded.model, self.weights).config.model_type)

    @property
    def base_name(self) -> str:
        """The public name of the base model."""
        return base_name(self.record)

    @cached_property
    def base(self) -> Base:
        """The base model, read at the first use.

        Raises:
            ConfigError: it is another one than the cell was trained on.
        """
        return base_model.resident(self.recorded.model, self.weights)

    def cannot(self, form: str, reason: str) -> ConfigError:
        """Return the error for a form that the cell has none of."""
        return ConfigError(f"cell '{self.recorded.cell.id}': cannot be exported as '{form}': {reason}")
