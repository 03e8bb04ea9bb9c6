"""One cell, step by step: construct, train, generate, score."""

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from peft_pipelines import generation, measure, metrics, models, providers, training
from peft_pipelines.errors import ConfigError
from peft_pipelines.io import Checkpoint, Splits, Trained
from peft_pipelines.metrics.efficiency import pscp as pscp_of
from peft_pipelines.objective import Objective, Shortcuts
from peft_pipelines.prompting import Prompter, count_truncated, learnable, shared_prefix
from peft_pipelines.providers import Attached
from peft_pipelines.specs import MethodSpec, ModelSpec, PscpSpec, TaskSpec, TrainingSpec

LIBRARIES = ("torch", "transformers", "peft", "adapters", "accelerate")


@dataclass
class PeftModel:
    """A method on its clone of the base, ready to train, with what is known of it before."""

    attached: Attached
    base: models.Base
    facts: dict[str, Any]


def construct(method: MethodSpec, model: ModelSpec, protocol: TrainingSpec, weights: Path, seed: int) -> PeftModel:
    """Attach the method to a clone of the resident base, and count what it will train and compute."""
    base = models.resident(model, weights)
    attached = providers.attach(models.clone(base.model), method, seed)
    facts = {
        "method": method.model_dump(),
        "model": model.model_dump(),
        "protocol": protocol.overridden(method).model_dump(),
        "seed": seed,
        "trainable_parameters": attached.trainable_parameters(),
        "total_parameters": sum(value.numel() for value in base.model.parameters()),
        "tflop": _tflop(base, attached, method.model_dump_json()),
        "base_tflop": _tflop(base, Attached(method, base.model, base.model, None), "base"),
        "base_checksum": base.checksum,
    }
    return PeftModel(attached, base, facts)


def _tflop(base: models.Base, attached: Attached, key: str) -> float:
    """Measured once a method and base: it does not depend on the task."""
    if key not in base.measured:
        base.measured[key] = measure.forward_tflop(attached)
    return base.measured[key]


def train(
    peft_model: PeftModel, prompts: Splits, workspace: Path, task: TaskSpec, protocol: TrainingSpec, seed: int
) -> Trained:
    """Train the method on the training rows; the weights that validation likes best are what is saved."""
    attached, base = peft_model.attached, peft_model.base
    protocol = protocol.overridden(attached.method)
    prompter = _prompter(base, task, protocol)
    rows, validation = (learnable(prompter, prompts[split].to_pylist()) for split in ("train", "validation"))
    if not rows or not validation:
        raise ConfigError(f"task '{task.name}': no answer fits max_length, got {prompter.max_length}; raise it")
    shortcuts = Shortcuts.of(attached, protocol)
    prefix = shared_prefix([row.prompt for row in rows + validation])
    objective = Objective(attached, shortcuts, prefix)
    rests_on = [providers.fingerprint(attached.method), libraries(), peft_model.facts]
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
        "libraries": libraries(),
        "machine": platform.machine(),
        "device": str(models.device()),
    }
    return Trained(attached, record, workspace)


def _prompter(base: models.Base, task: TaskSpec, protocol: TrainingSpec) -> Prompter:
    return Prompter(base.tokenizer, base.spec.chat_template, task.max_length or protocol.max_length)


def generate(
    method: MethodSpec,
    model: ModelSpec,
    protocol: TrainingSpec,
    weights: Path,
    checkpoint: Checkpoint,
    prompts: Splits,
    task: TaskSpec,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Greedy answers of the saved checkpoint to the test prompts, and what they cost."""
    protocol = protocol.overridden(method)
    base = models.resident(model, weights)
    prompter = _prompter(base, task, protocol)
    rows = prompts["test"].to_pylist()
    encoded = [prompter.encode(row["prompt"], room=task.max_new_tokens) for row in rows]
    stop = prompter.end_of_turn()[-1:]
    decoding = generation.Decoding(
        task.max_new_tokens,
        tuple(stop),
        int(base.tokenizer.pad_token_id),
        protocol.generation_batch_size,
        protocol.shared_prefix,
    )
    attached = providers.load(models.clone(base.model), method, checkpoint.folder)
    with base.untouched(), measure.cost() as spent:
        tokens = generation.generate(attached, [row.prompt for row in encoded], decoding)
    attached.detach()
    predictions = [
        {**row, "prediction": prompter.decode(answer, stop), "new_tokens": len(answer), "stopped": answer[-1] in stop}
        for row, answer in zip(rows, tokens, strict=True)
    ]
    report = {
        **{f"generate_{key}": value for key, value in spent.items()},
        "generated_tokens": sum(map(len, tokens)),
        "truncated": count_truncated(encoded),
    }
    return predictions, report


def libraries() -> dict[str, str]:
    """The releases that a training rests on."""
    return {name: version(name) for name in LIBRARIES}


def score(
    predictions: list[dict[str, Any]],
    generation: dict[str, Any],
    checkpoint: Checkpoint,
    task: TaskSpec,
    pscp: PscpSpec,
) -> dict[str, Any]:
    """The cell's numbers: what the task's metrics say, what it cost, and PSCP from both."""
    scores = task_scores(predictions, task)
    record = checkpoint.record
    memory = max(record["train_peak_memory_gb"], generation["generate_peak_memory_gb"])
    parameters, constants = record["trainable_parameters"], pscp.model_dump()
    performance = 100 * scores["primary"]
    relative = pscp_of(performance, parameters, record["tflop"] - record["base_tflop"], memory, **constants)
    absolute = pscp_of(performance, parameters, record["tflop"], memory, **constants)
    return {
        **scores,
        "truncated_rows": generation["truncated"] + sum(record["truncated"].values()),
        "truncated_share": truncated_share(record, generation["truncated"], len(predictions)),
        "trainable_parameters": parameters,
        "tflop": record["tflop"],
        "checkpoint_bytes": checkpoint.bytes,
        "peak_memory_gb": memory,
        "memory_kind": record["train_memory_kind"],
        "train_seconds": record["train_seconds"],
        "train_cpu_seconds": record["train_cpu_seconds"],
        "generate_seconds": generation["generate_seconds"],
        "generate_cpu_seconds": generation["generate_cpu_seconds"],
        "steps": record["steps"],
        "learning_rate": record["protocol"]["learning_rate"],
        **relative,
        "pscp_absolute": absolute["pscp"],
        "checkpoint": checkpoint.folder.parent.name,
    }


def task_scores(predictions: list[dict[str, Any]], task: TaskSpec) -> dict[str, Any]:
    """The task's metrics over predictions; ``primary`` and ``metric`` say which one stands for the task."""
    answers = [row["prediction"] for row in predictions]
    scores = metrics.score(task.metrics, answers, [row["references"] for row in predictions], task.label_words)
    return {"metric": task.primary, "primary": scores[task.primary], **scores}


def truncated_share(record: dict[str, Any], truncated: int, tests: int) -> float:
    """The largest share of rows that lost text, over the splits: ``truncated`` of the ``tests``, the rest by record."""
    shares = [record["truncated"][split] / rows for split, rows in record["rows"].items()]
    return float(max(truncated / tests, *shares))
