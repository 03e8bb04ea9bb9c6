"""The machines that a run's checkpoints were made on, by the checkpoints' own records.

The run's process need not be one of them, and need not see a GPU: its workers may be on other machines.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from kedro.io import DataCatalog, DatasetError

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.storage.checkpoint import Checkpoint


def made_on(cells: Iterable[Cell], catalog: DataCatalog, run_id: str) -> list[dict[str, Any]]:
    """Return what ``environment.hardware`` says of each kind of machine that made checkpoints of a run, the most first.

    ``cells`` is the number of these checkpoints. What other runs have made does not count.
    """
    found = (checkpoint_of(cell, catalog) for cell in cells)
    origins = [checkpoint.record.get("provenance", {}) for checkpoint in found if checkpoint]
    kinds = Counter(json.dumps(each["environment"]["hardware"]) for each in origins if each.get("run_id") == run_id)
    return [{**json.loads(kind), "cells": number} for kind, number in kinds.most_common()]


def checkpoint_of(cell: Cell, catalog: DataCatalog) -> Checkpoint | None:
    """Return the checkpoint of a cell; None where there is none, or one that is damaged."""
    try:
        found: Checkpoint | None = catalog.load(names.artifact(cell, names.CHECKPOINT))
    except DatasetError:
        return None
    return found
