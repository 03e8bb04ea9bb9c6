"""The second step of a cell: training, and the record of it."""

import platform
from dataclasses import asdict
from pathlib import Path

from peft_pipelines import measure, models, providers, training
from peft_pipelines.errors import ConfigError
from peft_pipelines.io import Splits, Trained
from peft_pipelines.objective import Objective, Shortcuts
from peft_pipelines.pipelines.cells.construct import PeftModel
from peft_pipelines.prompting import Prompter, count_truncated, learnable, shared_prefix
from peft_pipelines.releases import LEARNING, releases
from peft_pipelines.specs import TaskSpec, TrainingSpec


def train(
    peft_model: PeftModel, prompts: Splits, workspace: Path, task: TaskSpec, protocol: TrainingSpec, seed: int
) -> Trained:
    """Train the method on the training rows; the weights that validation likes best are what is saved."""
    attached, base = peft_model.attached, peft_model.base
    protocol = protocol.overridden(attached.method)
    prompter = Prompter(base.tokenizer, base.spec.chat_template, task.limit(protocol))
    rows, validation = (learnable(prompter, prompts[split].to_pylist()) for split in ("train", "validation"))
    if not rows or not validation:
        raise ConfigError(f"task '{task.name}': no answer fits max_length, got {prompter.max_length}; raise it")
    shortcuts = Shortcuts.of(attached, protocol)
    prefix = shared_prefix([row.prompt for row in rows + validation])
    objective = Objective(attached, shortcuts, prefix)
    rests_on = [providers.fingerprint(attached.method), releases(LEARNING), peft_model.facts]
    state = workspace / training.state_digest(*rests_on, [asdict(row) for row in rows + validation])
    pad = int(base.tokenizer.pad_token_id)
    attached.plain.train()
    if protocol.gradient_checkpointing:
        attached.core.gradient_checkpointing_enable({"use_reentrant": False})
        attached.core.enable_input_require_grads()
    with base.untouched(), measure.cost() as spent:
        outcome = training.train(objective, rows, validation, protocol, seed, pad, state)
    record = {
        **peft_model.facts,
        "shortcuts": asdict(shortcuts),
        "shared_prefix_tokens": len(prefix) if shortcuts.shared_prefix else 0,
        "max_length": prompter.max_length,
        "rows": {"train": len(rows), "validation": len(validation)},
        "left_out": prompts["train"].num_rows + prompts["validation"].num_rows - len(rows) - len(validation),
        "tokens": sum(len(row.ids) for row in rows),
        "truncated": {"train": count_truncated(rows), "validation": count_truncated(validation)},
        **asdict(outcome),
        **{f"train_{key}": value for key, value in spent.items()},
        "libraries": releases(LEARNING),
        "machine": platform.machine(),
        "device": str(models.device()),
    }
    return Trained(attached, record, workspace)
