"""Few-shot examples: training examples that stand answered before each prompt."""

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from peft_pipelines.config import TaskSpec
from peft_pipelines.data.encoded import Shot
from peft_pipelines.storage.splits import Splits


def shots_of(prompts: Splits, task: TaskSpec, count: int, seed: int) -> list[Shot]:
    """Return the shots of a cell, drawn from the training split of a task's prompts; none where ``count`` is 0.

    Args:
        prompts: the task's splits of prompts and references.
        task: the task's row; where it has labels, they take turns.
        count: the number of shots.
        seed: draws them.
    """
    if not count:
        return []
    return draw_shots(prompts["train"].to_pylist(), count, seed, balanced=bool(task.labels))


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
