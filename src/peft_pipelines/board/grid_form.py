"""What the page Grid sends, and the files of an environment that it stands for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from peft_pipelines.board.environment_files import GRID, PARAMETERS, files_of
from peft_pipelines.board.environment_rows import Rows, rows_of
from peft_pipelines.board.project import Project
from peft_pipelines.config import AXES, NAME_PATTERN, Grid, TrainingSpec, parse
from peft_pipelines.config.edited_yaml import Keys, edited
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.schema_files import schema_line
from peft_pipelines.config.strict_yaml import parse_value

NAME, FACTORS, TRAINING = "name", "factors", "training"
LONGEST: Final = 64
NEW: Final = "# What is compared by kedro run --env={name}; made on the board.\n"


class GridForm(BaseModel):
    """The fields of the page. ``env`` was shown, ``name`` is to be written; texts are as they were typed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    env: str
    name: str
    seen: str
    methods: list[str] = Field(max_length=10_000)
    models: list[str] = Field(max_length=10_000)
    tasks: list[str] = Field(max_length=10_000)
    seeds: list[str] = Field(max_length=10_000)
    factors: str = Field(max_length=1000)
    training: dict[str, str]


@dataclass(frozen=True)
class Draft:
    """An environment as the page would write it: its name, the texts of its files by path, and the number of cells."""

    name: str
    texts: Mapping[str, str]
    cells: int


def draft(project: Project, form: GridForm) -> tuple[Draft | None, dict[str, str]]:
    """Return what a form stands for, None where it stands for nothing, and the errors by field, in one line each."""
    rows = rows_of(project, project.environment(form.env))
    wrong = dict(name_errors(project, form.env, form.name))
    grid = _checked(wrong, form, rows)
    training = dict(_training(wrong, form, rows))
    if wrong or grid is None:
        return None, wrong
    files = files_of(project, form.env)
    changed = _grid_values(form, rows, new=not files.documents(GRID))
    files = files.with_values(GRID, changed, schema_line(f"{form.name}/{GRID}.yml") + NEW.format(name=form.name))
    files = files.with_values(PARAMETERS, training, schema_line(f"{form.name}/{PARAMETERS}.yml"))
    return Draft(form.name, files.texts, len(grid.cells())), {}


def name_errors(project: Project, env: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield why an environment may not be written under a name, if so; ``env`` is the one that was shown."""
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > LONGEST or name == project.base:
        yield NAME, f"must be small letters, digits and _ behind a letter, and not '{project.base}'"
    elif name != env and (project.conf / name).exists():
        yield NAME, f"'{name}' is there already and stays as it is: choose it above to change it"


def _checked(wrong: dict[str, str], form: GridForm, rows: Rows) -> Grid | None:
    """The grid of a form; what is wrong with it is added, by field."""
    values: dict[str, Any] = {axis: _ordered(form, rows, axis) for axis in AXES}
    empty = [axis for axis in AXES if not values[axis]]
    wrong |= {axis: f"choose at least one of the {axis}" for axis in empty}
    try:
        values["lr_search"] = {"factors": _factors(form.factors)}
        parse(Grid, "grid.yml", {**{axis: ["x"] for axis in AXES}, **{"lr_search": values["lr_search"]}})
    except ConfigError as error:
        wrong[FACTORS] = _short(error)
        return None
    if empty:
        return None
    try:
        grid = parse(Grid, "grid.yml", rows.grid.model_dump(mode="json") | values)
        rows.parameters.check(grid)
    except ConfigError as error:
        text = _short(error)
        wrong[next((axis for axis in AXES if re.search(rf"\b{axis[:-1]}s?\b", text)), AXES[0])] = text
        return None
    return grid.with_seedless(name for name in grid.methods if not _draws(rows, name))


def _draws(rows: Rows, method: str) -> bool:
    row = rows.parameters.methods[method]
    return row.trains or bool(row.shots)


def _factors(text: str) -> list[float]:
    found = parse_value(f"[{text}]", "factors")
    numbers = [float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) != len(found) or not found:
        raise ConfigError(f"factors: must be numbers with commas between them, got '{text:.80}'")
    return numbers


def _short(error: ConfigError) -> str:
    """An error without the name of the file, which the page shows."""
    return str(error).removeprefix("grid.yml: ").removeprefix("grid.yml, ").removeprefix("training, ")


def _grid_values(form: GridForm, rows: Rows, *, new: bool) -> dict[Keys, Any]:
    """What changes in the grid; a new file names all axes, one that is there keeps what is the same."""
    values: dict[Keys, Any] = {
        (axis,): _ordered(form, rows, axis) for axis in AXES if new or _differs(form, rows, axis)
    }
    factors = _factors(form.factors)
    return {**values, **({("lr_search",): {"factors": factors}} if factors != [*rows.grid.lr_search.factors] else {})}


def _differs(form: GridForm, rows: Rows, axis: str) -> bool:
    return _ordered(form, rows, axis) != list(getattr(rows.grid, axis))


def _ordered(form: GridForm, rows: Rows, axis: str) -> list[str]:
    """The chosen names of an axis: those of the grid in its order, then new ones."""
    chosen: list[str] = getattr(form, axis)
    now: tuple[str, ...] = getattr(rows.grid, axis)
    return [*(name for name in now if name in chosen), *(name for name in chosen if name not in now)]


def _training(wrong: dict[str, str], form: GridForm, rows: Rows) -> Iterator[tuple[Keys, Any]]:
    """The training values that differ from what the files say now; those that are no values are added as errors."""
    now = rows.parameters.training.model_dump(mode="json")
    for field, text in form.training.items():
        try:
            value = parse_value(text, field)
            parse(TrainingSpec, TRAINING, {**now, field: value})
        except ConfigError as error:
            wrong[f"{TRAINING}.{field}"] = _short(error)
            continue
        if value != now[field]:
            yield (TRAINING, field), value


def as_typed(value: Any) -> str:
    """Return a value as it stands in a field of the page."""
    line = edited("", "", {("x",): value})
    return line.removeprefix("x: ").removesuffix("\n")
