"""Scores of the continuation that a model finds the most likely, as lm-evaluation-harness computes them.

Of each item the log-likelihood of each label's continuation is known: the sum of ln p(token) over the continuation's
tokens, given the context and the tokens before. Formulas and ties are those of ``process_results`` for multiple choice
in the harness's ``api/task.py`` (0.4.13): numpy's argmax returns the first of equal values.
"""

from collections.abc import Callable, Sequence

from peft_pipelines.evaluation.metrics.classification import accuracy

Pick = Callable[[Sequence[float], Sequence[str]], int]
"""From the log-likelihoods and the texts of an item's continuations to the place of the one that is the answer."""


def acc(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Share of items where the right label has the largest log-likelihood; ``predictions`` are picks (``likeliest``).

    >>> acc(["yes", "no"], [["yes"], ["yes"]], ["no", "yes"])
    {'acc': 0.5}
    """
    return {"acc": accuracy(predictions, references, labels)["accuracy"]}


def acc_norm(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of items where the right label has the largest log-likelihood per character of its text.

    ``predictions`` are picks (``likeliest_per_character``).

    >>> acc_norm(["yes", "no"], [["yes"], ["yes"]], ["no", "yes"])
    {'acc_norm': 0.5}
    """
    return {"acc_norm": accuracy(predictions, references, labels)["accuracy"]}


def likeliest(logprobs: Sequence[float], texts: Sequence[str]) -> int:
    """The place of the largest log-likelihood; of equal ones the first.

    >>> likeliest([-6.0, -4.0, -4.0], ["rain", "no", "yes"])
    1
    """
    return _largest(logprobs)


def likeliest_per_character(logprobs: Sequence[float], texts: Sequence[str]) -> int:
    """The place of the largest log-likelihood divided by its text's length; of equal ones the first.

    The length is in characters (Unicode code points, not bytes), white space included, without the delimiter before
    the text.

    >>> likeliest_per_character([-6.0, -4.0, -4.0], ["rain", "no", "yes"])
    2
    """
    return _largest([logprob / len(text) for logprob, text in zip(logprobs, texts, strict=True)])


def _largest(values: Sequence[float]) -> int:
    return max(range(len(values)), key=lambda place: values[place])
