"""The third step of a cell: answers of the saved checkpoint."""

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import fmean
from typing import Any

from peft_pipelines import generation, measure, models, providers
from peft_pipelines.generation import Answered, Decoding
from peft_pipelines.io import Checkpoint, Splits
from peft_pipelines.prompting import Encoded, Prompter, Shot, count_truncated
from peft_pipelines.specs import MethodSpec, ModelSpec, TaskSpec, TrainingSpec


def generate(
    method: MethodSpec,
    model: ModelSpec,
    protocol: TrainingSpec,
    weights: Path,
    checkpoint: Checkpoint,
    prompts: Splits,
    task: TaskSpec,
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Greedy answers of the saved checkpoint to the test prompts, how likely it finds the right ones, and the cost.

    The seed draws the shots of a method that has some, out of the training rows.
    """
    protocol = protocol.overridden(method)
    base = models.resident(model, weights)
    prompter = Prompter(base.tokenizer, base.spec.chat_template, task.limit(protocol))
    rows, encoded = questions(prompter, prompts, task, method.shots, seed)
    stop, pad = tuple(prompter.end_of_turn()[-1:]), int(base.tokenizer.pad_token_id)
    decoding = Decoding(task.max_new_tokens, stop, pad, protocol.generation_batch_size, protocol.shared_prefix)
    asked = [answers_to_judge(row, task, prompter) for row in rows]
    attached = providers.load(models.clone(base.model), method, checkpoint.folder)
    if attached.select and method.train_on:
        attached.select(method.train_on.index(task.name))
    with base.untouched(), measure.cost() as spent:
        answered = generation.answer(attached, [row.prompt for row in encoded], decoding, asked)
    attached.detach()
    predictions = [
        {**row, "prediction": prompter.decode(found.tokens, stop), **facts(found, stop, task)}
        for row, found in zip(rows, answered, strict=True)
    ]
    shots = {"shots_used": fmean(row.shots for row in encoded)} if method.shots else {}
    tokens = {"generated_tokens": sum(len(found.tokens) for found in answered)}
    costs = {f"generate_{key}": value for key, value in spent.items()}
    return predictions, {**costs, **tokens, "truncated": count_truncated(encoded), **shots}


def questions(
    prompter: Prompter, prompts: Splits, task: TaskSpec, shots: int, seed: int
) -> tuple[list[dict[str, Any]], list[Encoded]]:
    """The test rows, and the same as tokens, behind ``shots`` answered training rows where these fit."""
    drawn = draw_shots(prompts["train"].to_pylist(), shots, seed, balanced=bool(task.labels)) if shots else []
    rows = prompts["test"].to_pylist()
    return rows, [prompter.encode(row["prompt"], room=task.max_new_tokens, shots=drawn) for row in rows]


def draw_shots(rows: Sequence[Mapping[str, Any]], count: int, seed: int, *, balanced: bool) -> list[Shot]:
    """Rows of ``prompt`` and ``references`` to answer before a question, drawn by a seed; fewer where there are fewer.

    Balanced, answers take turns, in an order that the seed decides, so that the first shots are as balanced as all.

    >>> rows = [{"prompt": f"{n}?", "references": ["no" if n < 8 else "yes"]} for n in range(10)]
    >>> sorted(answer for _, answer in draw_shots(rows, 4, seed=0, balanced=True))
    ['no', 'no', 'yes', 'yes']
    """
    drawn = [(row["prompt"], row["references"][0]) for row in random.Random(seed).sample(rows, len(rows))]
    if balanced:
        by_answer: dict[str, list[Shot]] = {}
        for shot in drawn:
            by_answer.setdefault(shot[1], []).append(shot)
        drawn = [shot for turn in zip_longest(*by_answer.values()) for shot in turn if shot]
    return drawn[:count]


def answers_to_judge(row: dict[str, Any], task: TaskSpec, prompter: Prompter) -> list[list[int]]:
    """The answers of a test row whose likelihood counts: each label, or of free text the first right answer.

    Of that as many tokens as may be generated: no more room is left for it.
    """
    if task.labels:
        return [prompter.answer(word) for word in task.label_words]
    return [prompter.answer(row["references"][0])[: task.max_new_tokens]]


def facts(found: Answered, stop: tuple[int, ...], task: TaskSpec) -> dict[str, Any]:
    """What is told of an answer beside its text.

    ``label_scores`` is the log-probability of each label with its end of turn. For free text ``reference_tokens`` is
    the length of the right answer and ``reference_tokens_right`` how many of them were the most likely ones.
    """
    written = {"new_tokens": len(found.tokens), "stopped": found.tokens[-1] in stop}
    if task.labels:
        scores = [each.logprob for each in found.likelihoods]
        return {**written, "label_scores": dict(zip(task.label_words, scores, strict=True))}
    (right,) = found.likelihoods
    return {**written, "reference_tokens": right.tokens, "reference_tokens_right": right.right}
