"""What a model is asked of each test row, and which given answers are scored beside its own."""

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from peft_pipelines.config import TaskSpec
from peft_pipelines.data.tokenize import Encoded, Prompter, Shot
from peft_pipelines.inference.generate import Answered
from peft_pipelines.storage.splits import Splits


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
