"""Rows of a project by their names, or as they are given, for what is trained outside of its grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict

from peft_pipelines.api.opened_project import loader_of, rows_and_models
from peft_pipelines.config import MethodSpec, ModelSpec, SamplingSpec, Spec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data.fetch import fetch_model
from peft_pipelines.files import names
from peft_pipelines.methods.custom_folder import use_methods_of
from peft_pipelines.models.folder import folder_of

Row = str | Mapping[str, Any]
S = TypeVar("S", bound=Spec)

WHERE: Final = "PeftClassifier"
OWN: Final = "own"
"""The name of a row that is given as a dictionary."""
Stamp = tuple[tuple[Path, int], ...]


class SavedRows(BaseModel):
    """The rows of a training as plain values, by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: dict[str, Any]
    model: dict[str, Any]
    training: dict[str, Any]
    sampling: dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The rows that a training is made by, and where what they name lies.

    Attributes:
        method: the method's row.
        model: the base model's row.
        training_args: the training arguments, the method's own over them.
        sampling: how examples are drawn.
        weights: the model's folder.
        project: the folder whose own methods are used.
    """

    method: MethodSpec
    model: ModelSpec
    training_args: TrainingSpec
    sampling: SamplingSpec
    weights: Path
    project: Path

    def saved(self) -> dict[str, Any]:
        """Return the rows as JSON has them, the fields of ``SavedRows``; a model's folder is from the project's."""
        model, project = self.model, self.project
        if model.name != OWN and model.folder and Path(model.folder).is_relative_to(project):
            model = model.model_copy(update={"folder": Path(model.folder).relative_to(project).as_posix()})
        kept = {"method": self.method, "model": model, "training": self.training_args, "sampling": self.sampling}
        return {name: row.model_dump(mode="json") for name, row in kept.items()}


def rows_of(project: str | PathLike[str] | None, method: Row, model: Row, training: Mapping[str, Any] | None) -> Rows:
    """Return the rows of a method and a model; a model that is not there is downloaded, as by a run.

    Args:
        project: the project's folder, whose rows they are, as for ``rows_and_models``.
        method: a row's name, or a row.
        model: likewise.
        training: training arguments in place of the project's and the method's own.

    Raises:
        ConfigError: a name is unknown, or a row is not as it must be.
    """
    home = _home(project)
    use_methods_of(home.project)
    spec = _row(MethodSpec, "method", method, home.rows)
    base = home.placed(_row(ModelSpec, "model", model, home.rows))
    if spec.train_on:
        raise ConfigError(f"method '{spec.name}', train_on: must be left out here, where there is one task")
    shared = parse(TrainingSpec, "training", home.rows["training"])
    own = parse(TrainingSpec, f"{WHERE}, training", {**shared.overridden(spec).model_dump(), **(training or {})})
    sampling = parse(SamplingSpec, "sampling", home.rows["sampling"])
    return Rows(spec, base, own, sampling, home.weights(base), home.project)


def rows_again(project: str | PathLike[str] | None, saved: SavedRows, where: str) -> Rows:
    """Return rows as they were saved, with the model where it lies on this machine; it is downloaded if it is missing.

    Args:
        project: the project's folder, where the model is looked for, as for ``rows_and_models``. If it has a row of the
            model's name with a folder, that is the model's.
        saved: the rows.
        where: what is read, for messages.

    Raises:
        ConfigError: a row is not as it must be.
    """
    home = _home(project)
    today = home.rows["models"].get(saved.model.get("name"), {}).get("folder")
    model = {**saved.model, "folder": today} if saved.model.get("folder") and today else saved.model
    base = home.placed(parse(ModelSpec, f"{where}, model", model))
    return Rows(
        parse(MethodSpec, f"{where}, method", saved.method),
        base,
        parse(TrainingSpec, f"{where}, training", saved.training),
        parse(SamplingSpec, f"{where}, sampling", saved.sampling),
        home.weights(base),
        home.project,
    )


@dataclass(frozen=True)
class _Home:
    """A project: its folder, its rows by key, and the folder of downloaded models."""

    project: Path
    rows: Mapping[str, Any]
    models: Path

    def placed(self, model: ModelSpec) -> ModelSpec:
        """A row of the project with its folder from the project's, as its YAML means it; a row of Python as it is."""
        if model.name == OWN or not model.folder:
            return model
        return model.model_copy(update={"folder": str(self.project / model.folder)})

    def weights(self, model: ModelSpec) -> Path:
        """The model's folder; a model that is not there is downloaded."""
        folder = folder_of(model, self.models / model.name)
        fetch_model(model, folder, self.project / names.LOCK)
        return folder


def _home(project: str | PathLike[str] | None) -> _Home:
    home, cache = rows_and_models(project)
    rows, models = _configured(home, _stamp(home))
    return _Home(home, rows, cache or home / models)


def _row(kind: type[S], axis: str, given: Row, parameters: Mapping[str, Any]) -> S:
    rows = parameters[f"{axis}s"]
    if isinstance(given, str) and given not in rows:
        raise unknown(WHERE, axis, given, sorted(rows))
    name, row = (given, rows[given]) if isinstance(given, str) else (OWN, given)
    return parse(kind, f"{axis} '{name}'", {**row, "name": name})


def _stamp(project: Path) -> Stamp:
    """What changes when a file of the configuration does."""
    files = sorted((project / "conf").rglob("*.yml"))
    return tuple((path, path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _configured(project: Path, stamp: Stamp) -> tuple[dict[str, Any], str]:
    """The parameters of a project, and the folder of models: read once for as long as no file changes."""
    loader = loader_of(project)
    return loader["parameters"], str(loader["globals"]["weights"])
