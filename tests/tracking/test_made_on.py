"""A run's manifest names the machines that made its checkpoints, whatever machine has planned it."""

from pathlib import Path

from kedro.io import DataCatalog

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.files.atomic import write_json
from peft_pipelines.storage.checkpoint import CheckpointFolder
from peft_pipelines.tracking.made_on import checkpoint_of, made_on

BIG, SMALL = {"processor": "p", "gpu": "NVIDIA H200"}, {"processor": "q", "gpu": None}


def test_each_kind_of_machine_is_named_once_with_its_checkpoints(tmp_path: Path) -> None:
    catalog = DataCatalog()
    cells = [Cell(method="lora", model="tiny", task="mood", seed=f"s{number}") for number in range(6)]
    made = [("now", SMALL), ("now", BIG), ("now", BIG), ("before", SMALL), None, None]
    for cell, origin in zip(cells, made, strict=True):
        folder = tmp_path / cell.id
        catalog[names.artifact(cell, names.CHECKPOINT)] = CheckpointFolder(filepath=str(folder), optional=True)
        if origin:
            folder.mkdir()
            provenance = {"run_id": origin[0], "environment": {"hardware": origin[1]}}
            write_json(folder / "record.json", {"provenance": provenance})
    (tmp_path / cells[-1].id).mkdir()
    (tmp_path / cells[-1].id / "record.json").write_text("damaged")
    assert checkpoint_of(cells[-1], catalog) is None
    assert made_on(cells, catalog, "now") == [{**BIG, "cells": 2}, {**SMALL, "cells": 1}]
    assert made_on(cells, catalog, "later") == []
