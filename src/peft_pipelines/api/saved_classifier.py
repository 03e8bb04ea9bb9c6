"""A fitted classifier as a folder: plain JSON, and the method's checkpoint with its tensors as safetensors.

classifier.json     parameters, labels, rows, and the SHA-256 of the other files
checkpoint/         the method's files, as a cell's checkpoint has them, and the record of its training
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from peft_pipelines.api.project_rows import WHERE, SavedRows, rows_again
from peft_pipelines.api.trained_texts import TrainedTexts, read_files, write_files
from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.spec import shown
from peft_pipelines.files.atomic import replacing, sweep_beside, write_json
from peft_pipelines.files.names import CHECKPOINT
from peft_pipelines.files.strict_json import each_once, no_number
from peft_pipelines.storage.checkpoint import RECORD

CONTENT: Final = "classifier.json"


class _Content(BaseModel):
    """What ``classifier.json`` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    parameters: dict[str, Any]
    label_words: list[list[Any]] | None
    classes: list[str | int | float | bool]
    classes_dtype: str
    rows: SavedRows
    task: dict[str, Any]
    shots: list[list[str]]
    base_checksum: int
    files: dict[str, str]


@dataclass(frozen=True)
class Saved:
    """A classifier as it was saved: its parameters without the project, its labels, and the trained method."""

    parameters: dict[str, Any]
    classes: "np.ndarray[Any, Any]"
    trained: TrainedTexts


def write(folder: Path, parameters: Mapping[str, Any], classes: "np.ndarray[Any, Any]", trained: TrainedTexts) -> None:
    """Write a fitted classifier into a folder, as a whole or not at all.

    Args:
        folder: a new folder, an empty one, or one that holds a saved classifier, which is replaced.
        parameters: those of the classifier; ``project`` is left out, since it is a place of this machine.
        classes: its labels.
        trained: the trained method.

    Raises:
        ConfigError: the folder holds something else, or JSON has no such value as a parameter or a label.
    """
    _check_free(folder)
    files = {**trained.files, RECORD: (json.dumps(trained.record, indent=2) + "\n").encode()}
    kept = {name: value for name, value in parameters.items() if name not in ("project", "label_words")}
    words = parameters["label_words"]
    content = {
        "format": 1,
        "parameters": {name: _plain(f"{WHERE}, {name}", value) for name, value in kept.items()},
        "label_words": _plain(f"{WHERE}, label_words", None if words is None else [*map(list, words.items())]),
        "classes": _plain(f"{WHERE}, labels", classes.tolist()),
        "classes_dtype": classes.dtype.str,
        "rows": trained.rows.saved(),
        "task": trained.task.model_dump(mode="json"),
        "shots": [list(shot) for shot in trained.shots],
        "base_checksum": trained.base_checksum,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    sweep_beside(folder)
    with replacing(folder) as fresh:
        fresh.mkdir()
        write_files(files, fresh / CHECKPOINT)
        write_json(fresh / CONTENT, {**content, "sha256": _digest(content)})


def read(folder: Path, project: str | PathLike[str] | None) -> Saved:
    """Return the classifier that a folder holds.

    Args:
        folder: the folder.
        project: the project whose downloaded models and own methods are used, as for ``rows_again``.

    Raises:
        ConfigError: no classifier is there, a file of it is gone or is not as it was saved, or the base model's weights
            are others.
    """
    sweep_beside(folder)
    where = f"classifier '{folder}'"
    saved = _content(folder, where)
    found = read_files(folder / CHECKPOINT)
    for name, digest in saved.files.items():
        if name not in found:
            raise ConfigError(f"{where}: its file '{CHECKPOINT}/{name}' is gone")
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise ConfigError(f"{where}: its file '{CHECKPOINT}/{name}' is not as it was saved")
    files = {name: found[name] for name in saved.files if name != RECORD}
    labels = {int(key): word for key, word in saved.task["labels"].items()}  # keys of JSON are text
    task = parse(TaskSpec, f"{where}, task", {**saved.task, "labels": labels})
    rows = rows_again(project, saved.rows, where)
    shots = [(prompt, answer) for prompt, answer in saved.shots]
    trained = TrainedTexts(rows, task, files, saved.base_checksum, json.loads(found[RECORD]), shots)
    trained.answerer  # noqa: B018  (base model and tensors are read now, so that what is wrong is told now)
    words = None if saved.label_words is None else dict(saved.label_words)
    classes = np.array(saved.classes, dtype=saved.classes_dtype)
    return Saved({**saved.parameters, "label_words": words}, classes, trained)


def _content(folder: Path, where: str) -> _Content:
    path = folder / CONTENT
    if not path.is_file():
        raise ConfigError(f"folder: must hold a classifier that was saved, got '{folder}', which has no {CONTENT}")
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text, object_pairs_hook=each_once, parse_constant=no_number)
    except ValueError as error:
        raise ConfigError(f"{where}: its file '{CONTENT}' cannot be read: {error}") from None
    if not isinstance(found, dict) or found.pop("sha256", None) != _digest(found):
        raise ConfigError(f"{where}: its file '{CONTENT}' is not as it was saved")
    return parse(_Content, f"{where}, {CONTENT}", found)


def _digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of what JSON says, however it is laid out."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _check_free(folder: Path) -> None:
    """Raise ConfigError for a folder whose replacement would remove more than a saved classifier."""
    if not folder.exists():
        return
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if there and (CONTENT not in there or there - {CONTENT, CHECKPOINT}):
        raise ConfigError(
            f"folder: must be new, empty or of a saved classifier, got '{folder}', which holds other files"
        )


def _plain(where: str, value: Any) -> Any:
    """A value as JSON has it; ConfigError for one that JSON does not have."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_whole))
    except (TypeError, ValueError):
        raise ConfigError(
            f"{where}: must be text, numbers, true, false, None, lists and dictionaries to be saved, got {shown(value)}"
        ) from None


def _whole(value: Any) -> Any:
    """A number or text of numpy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError
