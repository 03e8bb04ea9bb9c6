"""What decides a node's result beside its rows and data: by kind of node, the libraries, our code, and the device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from peft_pipelines.pipelines.cells.construct import construct
from peft_pipelines.pipelines.cells.generate import generate
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.pipelines.cells.train import train
from peft_pipelines.pipelines.data.nodes import adapt, instruct
from peft_pipelines.pipelines.data.profile import profile
from peft_pipelines.releases import LEARNING, SCORING, TABLES

RECORDS = {"audit", "energy.py", "provenance.py", "io/card.py", "io/hashes.py", "listing.py"} | {
    "providers/available.py"
}
COMMANDS = {"__main__.py", "settings.py"} | {
    f"{name}.py" for name in ("cli", "commands", "hooks", "merging", "pipeline_registry", "preflight")
}
SURROUNDINGS = {"errors.py", "fetch.py", "grid.py", "hub.py", "progress.py", "quiet.py", "runners"}
REPORTS = {"pipelines/report", "statistics"} | {
    f"pipelines/data/{name}.py" for name in ("profile", "overlap", "report")
}
DECIDES_NOTHING = frozenset(COMMANDS | RECORDS | SURROUNDINGS | REPORTS)
ANSWERS = {"generation.py", "label_scoring.py"}
TRAINS = {f"{name}.py" for name in ("ladder", "lowrank", "optimizers", "schedule", "trainer", "training", "validation")}
MODEL = ANSWERS | TRAINS | {"batches.py", "measure.py", "models.py", "objective.py", "prompting.py"}
STEPS = frozenset(f"pipelines/cells/{step}.py" for step in ("construct", "train", "generate", "score"))
"""Each step's own module counts for its own node in any case."""


@dataclass(frozen=True)
class Stage:
    """A kind of node.

    ``aside`` names the modules of ours that decide nothing there, ``ignored`` the fields of a task's row. ``device``
    says whether the kind of processor counts.
    """

    libraries: tuple[str, ...]
    aside: frozenset[str] = DECIDES_NOTHING
    ignored: frozenset[str] = field(default_factory=frozenset)
    device: bool = False


ANY = Stage(tuple(dict.fromkeys((*TABLES, *LEARNING, *SCORING))), device=True)
"""A node that no kind is known of: everything counts."""

_JUDGING = frozenset({"metrics", "ignore_case"})
_MODEL_ASIDE = DECIDES_NOTHING | {"metrics", "preprocess.py", "pipelines/data", "sandbox"} | STEPS
_TEXT = Stage(
    TABLES,
    DECIDES_NOTHING | MODEL | {"metrics", "providers", "pipelines/cells", "sandbox"},
    _JUDGING | {"max_new_tokens", "max_length"},
)
_PROFILE = Stage(
    (*TABLES, *SCORING[1:], "transformers", "tokenizers"),
    (DECIDES_NOTHING | {"pipelines/cells", "providers", "sandbox"}) - {"pipelines/data/overlap.py"},
)
_LEARN = Stage(LEARNING, _MODEL_ASIDE | ANSWERS, _JUDGING | {"max_new_tokens"}, device=True)
_ANSWER = Stage(LEARNING, _MODEL_ASIDE | TRAINS, _JUDGING, device=True)
_SCORE = Stage(
    SCORING, (DECIDES_NOTHING | MODEL | STEPS | {"providers", "preprocess.py", "pipelines/data"}) - {"statistics"}
)
_STAGES: dict[Callable[..., Any], Stage] = {
    adapt: _TEXT,
    instruct: _TEXT,
    profile: _PROFILE,
    construct: _LEARN,
    train: _LEARN,
    generate: _ANSWER,
    score: _SCORE,
}


def stage_of(function: Callable[..., Any]) -> Stage:
    """The kind of a node, by its function."""
    return _STAGES.get(function, ANY)
