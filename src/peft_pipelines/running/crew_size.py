"""How many cells run side by side: what is asked for, or what processors and memory allow."""

# ruff: noqa: PLC0415  (what loads torch is imported where it is needed: the run itself may have nothing to compute)

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple

from kedro.io import DataCatalog
from safetensors import safe_open

from peft_pipelines.config import MethodSpec, ModelSpec, TrainingSpec
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json
from peft_pipelines.files.machine import free_cores, free_memory
from peft_pipelines.files.system import HANDS_ON
from peft_pipelines.methods.size_check import STATE, WEIGHT
from peft_pipelines.models.memory import ON_CPU, kept_per_token
from peft_pipelines.running import threads
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.units import model_folder
from peft_pipelines.training.branches import TOKENS

BYTES: Final = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a weight by the precision in which a model's row has it loaded."""
LIBRARIES: Final = 650_000_000
"""Bytes of a process that has loaded the libraries and has computed something; measured."""


class Rows(NamedTuple):
    """The rows that decide how much memory a cell needs."""

    model: ModelSpec
    method: MethodSpec
    training_args: TrainingSpec

    @property
    def pair(self) -> tuple[str, str]:
        """The names of model and method: cells with the same ones need the same."""
        return self.model.name, self.method.name


def crew_size(asked: int | None, pending: list[Plan], catalog: DataCatalog) -> int:
    """Return the number of processes that make these cells.

    Args:
        asked: how many are asked for, or what the GPUs take; None for as many as processors and memory allow.
        pending: the cells that have something to do.
        catalog: the rows of the cells.
    """
    most = max(1, len(pending)) if HANDS_ON else 1
    if asked is not None:
        return min(asked, most)
    wanted, room = min(most, free_cores() // threads.per_cell()), free_memory()
    if wanted <= 1:
        return 1
    return max(1, min(wanted, room // largest(pending, catalog, lambda size: room // size >= wanted)))


def largest(pending: list[Plan], catalog: DataCatalog, suits: Callable[[int], bool]) -> int:
    """Return the bytes that a process needs for any of some cells.

    That is as if each trained all of its model where this ``suits``; else it is found out how much each trains.
    """
    rows = list({found.pair: found for plan in pending if (found := _rows(plan, catalog))}.values())
    bound = max((needed(one, catalog, exactly=False) for one in rows), default=LIBRARIES)
    return bound if suits(bound) else max((needed(one, catalog, exactly=True) for one in rows), default=LIBRARIES)


def needed(rows: Rows, catalog: DataCatalog, *, exactly: bool) -> int:
    """Return the bytes that a process needs for a cell, libraries and base included.

    Args:
        rows: those of the cell.
        catalog: the folder of the model that was downloaded.
        exactly: whether to find out how many numbers the method trains; else it counts as training all.
    """
    folder = model_folder(rows.model, catalog)
    numbers = sum(_numbers(path) for path in folder.glob("*.safetensors"))
    weights = numbers * BYTES[rows.model.dtype]
    arguments = rows.training_args.overridden(rows.method)
    trained = _trained(rows, folder) if exactly else (WEIGHT + STATE) * numbers
    kept = kept_per_token(read_json(folder / "config.json"), checkpointed=arguments.gradient_checkpointing)
    return LIBRARIES + weights + WEIGHT * _tokens(arguments) * kept + trained


def _numbers(path: Path) -> int:
    """How many numbers a file of weights holds, in whatever precision: they are loaded in that of the model's row."""
    with safe_open(path, "np") as file:
        return sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118  (it is no mapping)


def _tokens(arguments: TrainingSpec) -> int:
    """The most tokens that one forward of a training has on a CPU; an example is never cut."""
    most = arguments.tokens_per_forward or ON_CPU["tokens_per_forward"]
    if arguments.packed_batches and not arguments.gradient_checkpointing:
        most = min(most, TOKENS["cpu"])
    return min(max(most, arguments.max_length), arguments.batch_size * arguments.max_length)


def _trained(rows: Rows, folder: Path) -> int:
    """The bytes of what the method trains on the model; 0 where the weights must be read to know it."""
    from peft_pipelines.methods import providers
    from peft_pipelines.models import base_model

    return providers.check(rows.method, base_model.skeleton(rows.model, folder))


def _rows(plan: Plan, catalog: DataCatalog) -> Rows | None:
    """The rows of a cell; None for one of nodes that are not this project's."""
    given = {name for node in plan.unit.nodes for name in node.inputs if names.is_parameter(name)}
    values = [catalog.load(name) for name in given]
    found = [_first(values, kind) for kind in (ModelSpec, MethodSpec, TrainingSpec)]
    return Rows(*found) if all(found) else None


def _first(values: list[Any], kind: type[Any]) -> Any:
    return next((value for value in values if isinstance(value, kind)), None)
