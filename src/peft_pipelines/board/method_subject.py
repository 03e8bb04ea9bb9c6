"""What the page Method shows: a row of an environment, or one to be made, as values by section and field."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.known_types import type_of
from peft_pipelines.board.project import Project
from peft_pipelines.config import MethodSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.kinds import ConfigField

ROW, CONFIG, TRAINING = "row", "config", "training"
SECTIONS: Final = (ROW, CONFIG, TRAINING)
FIXED: Final = ("provider", "type")
"""Fields of a row that a page of its type does not change."""
Sections = Mapping[str, Mapping[str, Any]]
"""Values by section and field; a field that a row leaves out is none of them."""
NOTHING: Final[Sections] = {section: {} for section in SECTIONS}


@dataclass(frozen=True)
class Subject:
    """A row, or one to be made.

    Attributes:
        name: the row's; empty for one to be made.
        provider: who brings its type.
        type: its type there.
        fields: the fields that it may have, by section.
        values: what its form begins with: of a row that is there what it gives.
        base: what it gives in the environment that all others change, which an environment can change and not take
            away.
        note: the reason why no row may name the type; empty where one may.
    """

    name: str
    provider: str
    type: str
    fields: Mapping[str, tuple[ConfigField, ...]]
    values: Sections
    base: Sections
    note: str = ""

    @property
    def command(self) -> list[str]:
        """The words of the command that shows the same, without its environment."""
        return ["kedro", "methods", self.name or self.type]


def of_row(project: Project, env: str, name: str) -> Subject:
    """Return a row of an environment; errors as of ``rows_of``, and for a name that no row has."""
    rows = rows_of(project, env)
    if name not in rows.parameters.methods:
        raise unknown(f"environment '{env}'", "method", name, rows.parameters.methods)
    row, below = rows.parameters.methods[name], rows_of(project, project.base).parameters.methods.get(name)
    if below and (below.provider, below.type) != (row.provider, row.type):
        raise ConfigError(
            f"method '{name}': is of type {below.type} in {project.conf.name}/{project.base} and of type {row.type} in "
            f"'{env}': a row of two types has no form"
        )
    empty = of_type(project, env, row.provider, row.type)
    return replace(empty, name=name, values=sections(row), base=sections(below) if below else NOTHING)


def of_type(project: Project, env: str, provider: str, kind: str) -> Subject:
    """Return a row of a type that is to be made.

    Raises:
        ConfigError: as of ``rows_of``, or there is no such type.
    """
    rows = rows_of(project, env)
    found = type_of(project, rows, provider, kind)
    package = next((row.package for row in rows.parameters.methods.values() if row.package and row.type == kind), None)
    begun = {"family": found.family, "package": package}
    return Subject(
        name="",
        provider=provider,
        type=kind,
        fields={ROW: _row_fields(), CONFIG: found.all_fields, TRAINING: _training_fields(rows)},
        values={**NOTHING, ROW: {name: value for name, value in begun.items() if value}},
        base=NOTHING,
        note=found.note,
    )


def copied(subject: Subject) -> Subject:
    """Return a row to be made that begins with the values of another one."""
    return replace(subject, name="", base=NOTHING)


def sections(row: MethodSpec) -> Sections:
    """Return what a row gives, by section and field, as plain values."""
    given = row.model_dump(mode="json", exclude_unset=True)
    own = {name: value for name, value in given.items() if name not in (*FIXED, CONFIG, TRAINING, "name")}
    return {ROW: own, CONFIG: given[CONFIG], TRAINING: given[TRAINING]}


def _row_fields() -> tuple[ConfigField, ...]:
    from peft_pipelines.methods.config_fields import fields_of_spec  # noqa: PLC0415  (heavy, as known_types)

    return tuple(field for field in fields_of_spec(MethodSpec) if field.name not in (*FIXED, CONFIG, TRAINING))


def _training_fields(rows: Rows) -> tuple[ConfigField, ...]:
    """The training arguments; what a row leaves out is as for all cells."""
    from peft_pipelines.methods.config_fields import fields_of_spec  # noqa: PLC0415

    shared = rows.parameters.training.model_dump(mode="json")
    return tuple(replace(field, default=shared[field.name], required=False) for field in fields_of_spec(TrainingSpec))
