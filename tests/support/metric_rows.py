"""Made-up answers for every kind of right answers that a metric can be for."""

import random

from peft_pipelines.evaluation.metrics.metric import Kind, Metric, Resampling

Rows = tuple[list[str], list[list[str]], list[str]]
"""Predictions, references and labels."""
PAIR, FOUR = ["no", "yes"], ["A", "B", "C", "D"]
CODE = ["x = 1", "y = x + 1", "for i in range(3):\n    print(i)", "def f(a):\n    return a", "x =", "return sorted(x)"]
TEXTS = [*CODE, "#### 12", "the answer is 12", "(8 - 3) = 5", "a cat sat on the mat", "the cat sat"]


def label_rows(labels: list[str], n: int = 60) -> Rows:
    """Six in ten answers right, some that are no label."""
    chance = random.Random(1)
    gold = [chance.choice(labels[:-1] if len(labels) > 2 else labels) for _ in range(n)]
    answers = [word if chance.random() < 0.6 else chance.choice([*labels, "perhaps"]) for word in gold]
    return answers, [[word] for word in gold], labels


def number_rows(n: int = 60) -> Rows:
    """Answers near the right number, some that are no number."""
    chance = random.Random(2)
    gold = [chance.randrange(0, 51) / 10 for _ in range(n)]
    forms = ["{:.1f}"] * 9 + ["high"]
    answers = [chance.choice(forms).format(value + chance.choice([0, 0.5, -1])) for value in gold]
    return answers, [[f"{value:.1f}"] for value in gold], []


def text_rows(n: int = 60) -> Rows:
    """Code, equations and sentences, two right answers each; of one in ten the first is a word that nobody gives."""
    chance = random.Random(3)
    answers = [chance.choice(TEXTS) for _ in range(n)]
    right = [chance.sample(TEXTS, 2) for _ in range(n)]
    return answers, [[f"word{place}", pair[1]] if place % 10 == 0 else pair for place, pair in enumerate(right)], []


def rows_of(metric: Metric, n: int = 60) -> Rows:
    """Rows of the first kind that a metric is for."""
    match metric.kinds[0]:
        case Kind.LABELS:
            return label_rows(FOUR, n)
        case Kind.TWO_LABELS:
            return label_rows(PAIR, n)
        case Kind.NUMBERS:
            return number_rows(n)
        case _:
            return text_rows(n)


def questions(n: int) -> list[str]:
    """Three neighbouring items a question."""
    return [f"q{place // 3}" for place in range(n)]


def more(metric: Metric, names: list[str]) -> list[list[str]]:
    """The fourth argument of a metric over questions, none for the others."""
    return [names] if metric.resampling is Resampling.QUESTIONS else []
