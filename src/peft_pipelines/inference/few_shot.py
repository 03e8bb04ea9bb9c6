"""Test prompts and continuations as tokens, behind few-shot examples where the method has some."""

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from peft_pipelines.config import MethodSpec, TaskSpec
from peft_pipelines.data.continuations import Continuations, Continued
from peft_pipelines.data.encoded import Encoded, Shot
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.storage.splits import Splits


def encode_test_prompts(
    prompter: Prompter, prompts: Splits, task: TaskSpec, shots: int, seed: int
) -> tuple[list[dict[str, Any]], list[Encoded]]:
    """Return the test examples, and their prompts as tokens.

    Args:
        prompter: formats and tokenizes for the model.
        prompts: the task's splits of prompts and references.
        task: the task's row; room is left for its ``max_new_tokens``.
        shots: the number of training examples with their answers before each prompt; fewer where they do not fit.
        seed: draws the shots.
    """
    drawn, examples = _drawn(prompts, task, shots, seed), prompts["test"].to_pylist()
    return examples, [prompter.encode(row["prompt"], room=task.max_new_tokens, shots=drawn) for row in examples]


def encode_continuations(
    prompter: Prompter, prompts: Splits, task: TaskSpec, method: MethodSpec, seed: int, positions: int | None
) -> list[Continued]:
    """Return contexts and continuations of the test examples as tokens; nothing where the task's row has none.

    Args:
        prompter: formats and tokenizes for the model.
        prompts: the task's splits, with the columns of ``choices.py``.
        task: the task's row.
        method: the method's row: its shots stand before prompts, its virtual tokens take positions.
        seed: draws the shots.
        positions: those of the model, None where it has no such limit.
    """
    if not task.continuations:
        return []
    most = None if positions is None else positions - method.virtual_tokens
    continuations = Continuations(prompter, task.continuations, task.max_new_tokens, most)
    shots = _drawn(prompts, task, method.shots, seed)
    return [continuations.encode(row, shots) for row in prompts["test"].to_pylist()]


def _drawn(prompts: Splits, task: TaskSpec, shots: int, seed: int) -> list[Shot]:
    if not shots:
        return []
    return draw_shots(prompts["train"].to_pylist(), shots, seed, balanced=bool(task.labels))


def draw_shots(examples: Sequence[Mapping[str, Any]], count: int, seed: int, *, balanced: bool) -> list[Shot]:
    """Draw ``count`` examples as pairs of prompt and first reference; all of them where there are fewer.

    Balanced, answers take turns, in an order that the seed decides, so that the first shots are as balanced as all.

    >>> rows = [{"prompt": f"{n}?", "references": ["no" if n < 8 else "yes"]} for n in range(10)]
    >>> sorted(answer for _, answer in draw_shots(rows, 4, seed=0, balanced=True))
    ['no', 'no', 'yes', 'yes']
    """
    drawn = [(row["prompt"], row["references"][0]) for row in random.Random(seed).sample(examples, len(examples))]
    if balanced:
        by_answer: dict[str, list[Shot]] = {}
        for shot in drawn:
            by_answer.setdefault(shot[1], []).append(shot)
        drawn = [shot for turn in zip_longest(*by_answer.values()) for shot in turn if shot]
    return drawn[:count]
