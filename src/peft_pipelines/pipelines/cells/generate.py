"""The third step of a cell: answers of the saved checkpoint."""

from pathlib import Path
from typing import Any

from peft_pipelines import generation, measure, models, providers
from peft_pipelines.io import Checkpoint, Splits
from peft_pipelines.prompting import Prompter, count_truncated
from peft_pipelines.specs import MethodSpec, ModelSpec, TaskSpec, TrainingSpec


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
    prompter = Prompter(base.tokenizer, base.spec.chat_template, task.limit(protocol))
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
