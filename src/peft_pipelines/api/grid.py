"""A grid as an object: names on four axes, and rows of the configuration as dictionaries."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from peft_pipelines.config import AXES, parse
from peft_pipelines.config import Grid as GridSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.parameters import Parameters
from peft_pipelines.config.spec import shown

_OTHERS: Final = ("energy", "trackers")
"""Keys whose value may be something else than a dictionary, as is told when the grid runs."""


class Grid:
    """A grid of cells: each method on each model and task with each seed.

    Args:
        methods: names of rows, as in ``grid.yml``.
        models: likewise.
        tasks: likewise.
        seeds: likewise.
        rows: what a ``parameters.yml`` holds: by key (``tasks``, ``models``, ``methods``, ``training``, ``sampling``,
            ...) a dictionary; of ``trackers`` a list. A row of a new name stands beside the project's; fields of a
            known one replace its own.
        options: the other fields of ``grid.yml``: ``lr_search``, ``published``, ``metric``, ``answers_shown``.

    Raises:
        ConfigError: a field or a key is unknown, or has a value of a wrong type. Rows are checked when the grid runs,
            together with those that they stand beside.

    >>> Grid(methods=["lora"], models=["tiny"], tasks=["mood"], seeds=["s0", "s1"]).cells()
    ['lora.tiny.mood.s0', 'lora.tiny.mood.s1']
    >>> Grid(methods="lora", models=["tiny"], tasks=["mood"])
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: Grid, methods: must be a list, got 'lora'
    """

    def __init__(
        self,
        methods: Iterable[str],
        models: Iterable[str],
        tasks: Iterable[str],
        seeds: Iterable[str] = ("s0",),
        *,
        rows: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        named = zip(AXES, (methods, models, tasks, seeds), strict=True)
        self.spec = parse(GridSpec, "Grid", {**{axis: _names(names) for axis, names in named}, **options})
        self.rows = _dictionary("Grid, rows", {} if rows is None else rows)
        for key, row in self.rows.items():
            if key not in Parameters.model_fields:
                raise unknown("Grid, rows", "key", key, Parameters.model_fields)
            if key not in _OTHERS:
                _dictionary(f"Grid, rows, {key}", row)

    def cells(self) -> list[str]:
        """Return the id of each cell, ``METHOD.MODEL.TASK.SEED``, method by method.

        A method that draws nothing, such as the untuned model, runs with the first seed only.
        """
        return [cell.id for cell in self.spec.cells()]

    def __repr__(self) -> str:
        """The names on the axes."""
        axes = ", ".join(f"{axis}={list(getattr(self.spec, axis))}" for axis in AXES)
        return f"Grid({axes}{', rows=' + repr(sorted(self.rows)) if self.rows else ''})"


def _dictionary(where: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where}: must be a dictionary, got {shown(given)}")
    return dict(given)


def _names(given: Any) -> Any:
    """A list of what has items in an order, and is no text; all else as it is, to be refused."""
    unordered = isinstance(given, str | Mapping | set | frozenset)
    return list(given) if isinstance(given, Iterable) and not unordered else given
