"""The third step of a cell: answers of the saved checkpoint."""

# ruff: noqa: PLC0415  (Kedro imports this module to build the pipelines, and a run with nothing to do must not wait for
# torch: what loads it is imported where it is used)

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from peft_pipelines.config import MethodSpec, ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.inference.budget import answer_tokens
from peft_pipelines.inference.few_shot import encode_continuations, encode_test_prompts
from peft_pipelines.models.positions import positions
from peft_pipelines.storage.checkpoint import Checkpoint
from peft_pipelines.storage.splits import Splits

if TYPE_CHECKING:
    from peft_pipelines.inference.generate import Generation
    from peft_pipelines.methods.attached import Attached
    from peft_pipelines.models.base_model import Base


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
    from peft_pipelines.inference.choice_logprobs import logprob_fields
    from peft_pipelines.inference.decoding import Decoding, attention_of
    from peft_pipelines.inference.generate import generate_and_score, prediction_fields
    from peft_pipelines.inference.loglikelihood import answers_to_score
    from peft_pipelines.models import base_model

    training_args = training_args.overridden(method)
    base = base_model.resident(model, weights)
    prompter = Prompter.of(base.spec, base.tokenizer, task.limit(training_args))
    rows, encoded = encode_test_prompts(prompter, prompts, task, method.shots, seed)
    stop = tuple(prompter.end_of_turn()[-1:])
    most = answer_tokens(task, method, prompter.max_length, positions(base.model.config))
    decoding = Decoding.of(training_args, most, stop, int(base.tokenizer.pad_token_id))
    attached = _loaded(base, method, checkpoint, task)
    given = [answers_to_score(row, task, prompter) for row in rows]
    texts = [row.prompt for row in encoded]
    asked = encode_continuations(prompter, prompts, task, method, seed, positions(base.model.config))
    with base.untouched(training_args.deterministic):
        attention = attention_of(attached, texts, decoding, given)  # may try a kernel, which is no cost of answers
        with measure.cost() as spent:  # of answers alone: costs are those of a task without continuations
            generations = generate_and_score(attached, texts, decoding, given)
        continued = logprob_fields(attached, asked, decoding, len(rows))
    costs = {f"generate_{key}": value for key, value in spent.items()} | flops.compute(base, attached)
    attached.detach()
    predictions = [
        {**row, "prediction": prompter.decode(each.tokens, stop), **prediction_fields(each, stop, task), **logprobs}
        for row, each, logprobs in zip(rows, generations, continued, strict=True)
    ]
    return predictions, {**costs, **_of_answers(generations, most, attention), **_of_prompts(encoded, method)}


def _loaded(base: "Base", method: MethodSpec, checkpoint: Checkpoint, task: TaskSpec) -> "Attached":
    """The checkpoint on a clone of the base; of a method with a part for each of several tasks, the task's part."""
    from peft_pipelines.methods import providers
    from peft_pipelines.models import base_model

    attached = providers.load(base_model.clone(base.model), method, checkpoint.folder)
    if attached.select and method.train_on:
        attached.select(method.train_on.index(task.name))
    return attached


def _of_answers(generations: Sequence["Generation"], most: int, attention: str) -> dict[str, int | str]:
    """Counts of the answers: their tokens, and the most that one may have; and the attention that they ran by."""
    tokens = sum(len(each.tokens) for each in generations)
    return {"generated_tokens": tokens, "max_new_tokens": most, "generate_attention": attention}


def _of_prompts(encoded: list[Encoded], method: MethodSpec) -> dict[str, float]:
    """Counts of the prompts: those that lost text, and the mean number of shots where the method has some."""
    shots = {"shots_used": fmean(row.shots for row in encoded)} if method.shots else {}
    return {"truncated": sum(row.truncated for row in encoded), **shots}
