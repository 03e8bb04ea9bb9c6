"""The code, libraries and device that decide a node's result beside its rows and data, by kind of node.

Of the folders only the modules count that the node's own module reaches by its imports, or a dataset's: the catalog
names those, no node imports them. So a new module needs no entry here: it counts where it is used.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from peft_pipelines.files.versions import LEARNING, SCORING, TABLES
from peft_pipelines.running.source import PACKAGE

DECIDES_NOTHING = frozenset({"config/errors.py", "costs/energy.py", "storage/model_card.py"})
"""Modules of deciding folders that decide no result: messages, estimates, text for people."""
DATASETS = tuple(sorted(f"storage.{path.stem}" for path in (PACKAGE / "storage").glob("*.py")))
"""The modules of the catalog's datasets, by which every node reads and writes."""
_SHARED = frozenset({"config", "storage", "files/atomic.py"})
_MODEL = _SHARED | {"costs", "data", "methods", "models"}
DECIDING = _MODEL | {"evaluation", "inference", "pipelines", "training"}
"""All folders whose code decides some result."""


@dataclass(frozen=True)
class Stage:
    """A kind of node.

    ``folders`` hold the code of ours that decides its result, ``ignored`` are the fields of a task's or a method's
    row that do not. ``device`` says whether the kind of processor counts, ``reads_weights`` whether the node reads the
    tensors of a checkpoint that it is given, or its record alone.
    """

    libraries: tuple[str, ...]
    folders: frozenset[str] = DECIDING
    ignored: frozenset[str] = field(default_factory=frozenset)
    device: bool = False
    reads_weights: bool = True


ANY = Stage(tuple(dict.fromkeys((*TABLES, *LEARNING, *SCORING))), device=True)
"""A node that no kind is known of: everything counts."""

_SCORED_BY = frozenset({"metrics", "ignore_case"})
# Test cases are parsed by a module of evaluation while examples are adapted, but only to refuse bad ones.
_TEXT = Stage(TABLES, _SHARED | {"data"}, _SCORED_BY | {"max_new_tokens", "max_length"})
_PROFILE = Stage((*TABLES, *SCORING[1:], "transformers", "tokenizers"), _SHARED | {"data", "evaluation", "models"})
_TRAIN = Stage(LEARNING, _MODEL | {"training"}, _SCORED_BY | {"max_new_tokens"}, device=True)
_GENERATE = Stage(LEARNING, _MODEL | {"inference"}, _SCORED_BY, device=True)
_SCORE = Stage(SCORING, _SHARED | {"costs", "evaluation"}, reads_weights=False)
_STAGES = {
    "data.adapt": _TEXT,
    "data.profile": _PROFILE,
    "pipelines.cells.construct": _TRAIN,
    "pipelines.cells.train": _TRAIN,
    "pipelines.cells.generate": _GENERATE,
    "pipelines.cells.score": _SCORE,
}
"""By the module that a node's function stands in."""


def stage_of(function: Callable[..., Any]) -> Stage:
    """The kind of a node, by its function."""
    return _STAGES.get(function.__module__.partition(".")[2], ANY)
