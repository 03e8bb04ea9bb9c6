"""The grid: names on four axes, and the cells that they make."""

from collections.abc import Iterable
from itertools import product
from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from peft_pipelines.config.spec import Name, Names, Spec, Text, as_tuple
from peft_pipelines.files.names import RESERVED, cell_id


class Cell(Spec):
    """A cell of the grid: one method, model, task and seed."""

    method: Name = Field(description="The name of a method's row.")
    model: Name = Field(description="The name of a model's row.")
    task: Name = Field(description="The name of a task's row.")
    seed: Name = Field(description="The name of a training seed.")

    @property
    def id(self) -> str:
        """``method.model.task.seed``: the cell's tag, and the folder of its artifacts."""
        return cell_id(self.method, self.model, self.task, self.seed)

    @classmethod
    def of(cls, text: str) -> "Cell":
        """Return the cell with an id.

        >>> Cell.of("lora.tiny.sst2.s0").task
        'sst2'
        """
        return cls(**dict(zip(cls.model_fields, text.split("."), strict=True)))


AXES = ("methods", "models", "tasks", "seeds")
"""The axes of a grid, in the order of a cell's names; also the keys of the configuration that hold their rows."""


MOST_ANSWERS = 20
"""The most answers of a cell that are kept for the page."""


Rates = Annotated[
    tuple[Annotated[float, Field(gt=0)], ...],
    BeforeValidator(as_tuple),
    Field(min_length=1, max_length=20),
]


class LrSearchSpec(Spec):
    """The learning-rate search of a cell: one trial for each factor, at the method's own rate times the factor."""

    factors: Rates = Field(
        description=(
            "The factors, each above 0 and distinct, 1 to 20 of them. [1.0] is one training at the method's own rate."
        ),
    )

    @model_validator(mode="after")
    def _distinct(self) -> "LrSearchSpec":
        twice = next((factor for factor in self.factors if self.factors.count(factor) > 1), None)
        if twice:
            raise ValueError(f"factors must be distinct, got {twice:g} twice")
        return self

    def rates(self, rate: float) -> tuple[float, ...]:
        """Return the learning rates of the trials, in ascending order.

        >>> LrSearchSpec(factors=[3, 1]).rates(0.5)
        (0.5, 1.5)
        """
        return tuple(rate * factor for factor in sorted(self.factors))


class Grid(Spec):
    """A grid: the names on each axis, whose combinations are the cells, and the learning-rate search of each cell."""

    methods: Names = Field(description="The names of method rows.")
    models: Names = Field(description="The names of model rows.")
    tasks: Names = Field(description="The names of task rows.")
    seeds: Names = Field(
        description=(
            "The names of training seeds, as `seeds` of the parameters gives them. A method that draws nothing has one "
            "cell, of the first."
        ),
    )
    lr_search: LrSearchSpec = Field(
        default=LrSearchSpec(factors=(1.0,)),
        description="The learning-rate search of each cell; without it each method trains once, at its own rate.",
    )
    published: Name | None = Field(
        default=None,
        description="The name of a row of published values that are shown beside this run's own; null for none.",
    )
    metric: Text | None = Field(
        default=None,
        description=(
            "The metric that stands for each task whose row names it; the other tasks keep the first of their row. "
            "Null: all do."
        ),
    )
    answers_shown: Annotated[int, Field(ge=0, le=MOST_ANSWERS)] = Field(
        default=MOST_ANSWERS,
        description="The most answers of a cell that the report's page shows, from 0 to 20.",
    )

    _seedless: frozenset[str] = PrivateAttr(default=frozenset())

    def with_seedless(self, methods: Iterable[str]) -> "Grid":
        """Return the grid, told which methods draw nothing: their answers are the same under each seed."""
        told = self.model_copy()
        told._seedless = frozenset(methods)
        return told

    def cells(self) -> list[Cell]:
        """Return all cells, method by method; a method that draws nothing has those of the first seed."""
        return [
            Cell(method=method, model=model, task=task, seed=seed)
            for method, model, task in product(self.methods, self.models, self.tasks)
            for seed in (self.seeds[:1] if method in self._seedless else self.seeds)
        ]

    @model_validator(mode="after")
    def _distinct(self) -> "Grid":
        for axis in AXES:
            names = getattr(self, axis)
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"{axis} must name each row once, got '{twice}' twice")
        for name in self.methods:
            if name in RESERVED:
                raise ValueError(f"a method must not be called {' or '.join(RESERVED)}, got '{name}'")
        return self
