"""The second step of a cell: training, and its record."""

# ruff: noqa: PLC0415  (Kedro imports this module to build the pipelines, and a run with nothing to do must not wait for
# torch: what loads it is imported where it is used)

import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peft_pipelines.config import LrSearchSpec, MethodSpec, TaskSpec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.data.tokenize import Prompter, training_examples
from peft_pipelines.files import names
from peft_pipelines.files.versions import LEARNING, releases
from peft_pipelines.storage.checkpoint import Trained
from peft_pipelines.storage.splits import Splits
from peft_pipelines.training.peft_model import PeftModel
from peft_pipelines.training.scored_rows import affordable

if TYPE_CHECKING:
    from peft_pipelines.methods.attached import Attached
    from peft_pipelines.models import base_model
    from peft_pipelines.training.shortcuts import Shortcuts


def train(
    peft_model: PeftModel,
    prompts: Splits,
    workspace: Path,
    task: TaskSpec,
    training_args: TrainingSpec,
    seed: int,
    lr_search: LrSearchSpec,
    **together: Any,
) -> Trained:
    """Train the method on the training split, once at each learning rate of the search.

    The weights with the lowest validation loss are kept. All trainings start from the same weights and see the same
    examples in the same order. The validation split is the task's own, or as much of it as ``validation_cost`` allows.

    Args:
        peft_model: the method on its clone of the base.
        prompts: the task's splits, as columns ``prompt`` and ``references``.
        workspace: the folder of the trainings' states.
        task: the task's row.
        training_args: without the method's own values.
        seed: decides the start and the order of the examples.
        lr_search: the factors of the learning rate.
        together: of a method that learns several tasks at once, ``prompts.<task>`` and ``task.<task>`` of each.

    Raises:
        ConfigError: no answer of the task fits ``max_length``, or training diverged at each learning rate.
    """
    from peft_pipelines.methods import providers
    from peft_pipelines.models import base_model
    from peft_pipelines.models.sizes import sized
    from peft_pipelines.training.lr_search import record_of, search
    from peft_pipelines.training.train import state_digest
    from peft_pipelines.training.trial import TrialSetup

    attached, base = peft_model.attached, peft_model.base
    method = attached.method
    training_args = training_args.overridden(method)
    prompter = Prompter.of(base.spec, base.tokenizer, task.limit(training_args))
    training_args = sized(training_args, attached, prompter.max_length)
    rows, validation = _own_rows(prompter, prompts, task)
    if method.train_on:
        rows = [row for name in method.train_on for row in _rows_of(name, method, base, training_args, together)]
        validation = [replace(row, task=method.train_on.index(task.name)) for row in validation]
    shortcuts, pad = _shortcuts(base, attached, training_args), int(base.tokenizer.pad_token_id)
    scored = affordable(validation, rows, training_args)
    setup = TrialSetup(rows, scored, training_args, shortcuts, seed, pad)
    rates = lr_search.rates(training_args.learning_rate) if attached.trainable() else (training_args.learning_rate,)
    decides = [*_decides(method, peft_model), setup.texts(), setup.sizes()]
    folders = {rate: workspace / state_digest(*decides, rate) for rate in rates}
    with base.untouched(training_args.deterministic):
        attached, trials = search(
            attached, lambda: providers.attach(base_model.clone(base.model), method, seed), setup.fit, folders
        )
    record = {**peft_model.facts, **setup.facts(), "max_length": prompter.max_length}
    record["left_out"] = _examples(prompts, method, together) - len(rows) - len(validation)
    return Trained(attached, {**record, **record_of(trials), **_surroundings(method)}, workspace)


def _examples(prompts: Splits, method: MethodSpec, together: dict[str, Any]) -> int:
    """The number of examples that there are to train and to validate on."""
    others = [together[names.argument("prompts", name)]["train"] for name in method.train_on or ()]
    return sum(table.num_rows for table in (*(others or [prompts["train"]]), prompts["validation"]))


def _shortcuts(base: "base_model.Base", attached: "Attached", training_args: TrainingSpec) -> "Shortcuts":
    """The short cuts, for which a kernel is tried in the mode in which it is to run."""
    from peft_pipelines.training.shortcuts import Shortcuts

    with base.same_bits(training_args.deterministic):
        return Shortcuts.of(attached, training_args)


def _decides(method: MethodSpec, peft_model: PeftModel) -> list[Any]:
    """What decides a training beside its examples; not whether weights are kept, which a full disk may change."""
    from peft_pipelines.methods import identity

    facts = peft_model.facts | {"method": method.model_dump(exclude={"keep_weights"})}
    return [identity.fingerprint(method), releases(LEARNING), facts]


def _surroundings(method: MethodSpec) -> dict[str, Any]:
    from peft_pipelines.models import base_model

    packages = [method.package] if method.package else []
    return {
        "libraries": releases((*LEARNING, *packages)),
        "machine": platform.machine(),
        "device": str(base_model.device()),
    }


def _own_rows(prompter: Prompter, prompts: Splits, task: TaskSpec) -> tuple[list[Encoded], list[Encoded]]:
    """The task's own examples to train and to validate on."""
    rows, validation = (training_examples(prompter, prompts[name].to_pylist()) for name in ("train", "validation"))
    if not rows or not validation:
        raise ConfigError(f"task '{task.name}': no answer fits max_length, got {prompter.max_length}; raise it")
    return rows, validation


def _rows_of(
    name: str, method: MethodSpec, base: "base_model.Base", training_args: TrainingSpec, together: dict[str, Any]
) -> list[Encoded]:
    """Training examples of one of the tasks that are learnt together, each with the task's place."""
    assert method.train_on
    spec = parse(TaskSpec, f"task '{name}'", dict(together[names.argument("task", name)]))
    prompter = Prompter.of(base.spec, base.tokenizer, spec.limit(training_args))
    rows = training_examples(prompter, together[names.argument("prompts", name)]["train"].to_pylist())
    return [replace(row, task=method.train_on.index(name)) for row in rows]
