"""The third step of a cell: answers of the saved checkpoint."""

# ruff: noqa: PLC0415  (Kedro imports this module to build the pipelines, and a run with nothing to do must not wait for
# torch: what loads it is imported where it is used)

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from peft_pipelines.config import MethodSpec, ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.inference.few_shot import shots_of
from peft_pipelines.storage.checkpoint import Checkpoint
from peft_pipelines.storage.splits import Splits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peft_pipelines.data.encoded import Encoded
    from peft_pipelines.inference.decoding import Decoding
    from peft_pipelines.inference.generate import Generation


def generate(
    method: MethodSpec,
    model: ModelSpec,
    training_args: TrainingSpec,
    weights: Path,
    checkpoint: Checkpoint,
    prompts: Splits,
    task: TaskSpec,
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Greedy answers of the saved checkpoint to the test prompts, how likely it finds the right ones, and the cost.

    Its compute is counted here: some methods are saved in another shape than they are trained in. The seed draws the
    shots of a method that has some, out of the training examples.
    """
    from peft_pipelines.costs import flops, measure
    from peft_pipelines.inference.answerer import Answerer
    from peft_pipelines.models import base_model

    training_args = training_args.overridden(method)
    base = base_model.resident(model, weights)
    shots = shots_of(prompts, task, method.shots, seed)
    answerer = Answerer.of(base, method, training_args, task, checkpoint.weights, shots)
    asked = answerer.encode(prompts["test"].to_pylist())
    with base.untouched(training_args.deterministic):
        attention = answerer.attention(asked)  # may try a kernel, which is no cost of answers
        with measure.cost() as spent:  # of answers alone: costs are those of a task without continuations
            generations = answerer.generate(asked)
        predictions = answerer.predictions(asked, generations)
    costs = {f"generate_{key}": value for key, value in spent.items()} | flops.compute(base, answerer.attached)
    answerer.attached.detach()
    of_answers = _of_answers(generations, answerer.decoding, attention)
    return predictions, {**costs, **of_answers, **_of_prompts(asked.encoded, method)}


def _of_answers(generations: "Sequence[Generation]", decoding: "Decoding", attention: str) -> dict[str, int | str]:
    """Counts of the answers: their tokens, the most that one may have, how many ran at once; and their attention."""
    return {
        "generated_tokens": sum(len(each.tokens) for each in generations),
        "max_new_tokens": decoding.max_new_tokens,
        "generation_batch_size": decoding.batch_size,
        "generate_attention": attention,
    }


def _of_prompts(encoded: "list[Encoded]", method: MethodSpec) -> dict[str, float]:
    """Counts of the prompts: those that lost text, and the mean number of shots where the method has some."""
    shots = {"shots_used": fmean(row.shots for row in encoded)} if method.shots else {}
    return {"truncated": sum(row.truncated for row in encoded), **shots}
