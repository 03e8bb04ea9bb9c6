"""Rows of a project by their names, or as they are given, for what is trained outside of its grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeVar

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


@dataclass(frozen=True)
class Rows:
    """The rows that a training is made by, the method's own arguments in ``training_args``, and the model's folder."""

    method: MethodSpec
    model: ModelSpec
    training_args: TrainingSpec
    sampling: SamplingSpec
    weights: Path


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
    home, cache = rows_and_models(project)
    parameters, models = _configured(home, _stamp(home))
    use_methods_of(home)
    spec, base = _row(MethodSpec, "method", method, parameters), _row(ModelSpec, "model", model, parameters)
    if spec.train_on:
        raise ConfigError(f"method '{spec.name}', train_on: must be left out here, where there is one task")
    shared = parse(TrainingSpec, "training", parameters["training"])
    own = parse(TrainingSpec, f"{WHERE}, training", {**shared.overridden(spec).model_dump(), **(training or {})})
    folder = folder_of(base, (cache or home / models) / base.name)
    fetch_model(base, folder, home / names.LOCK)
    return Rows(spec, base, own, parse(SamplingSpec, "sampling", parameters["sampling"]), folder)


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
