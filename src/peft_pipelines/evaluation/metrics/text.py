"""Scores of free text against one or more right answers; an item counts by its best right answer.

``exact_match`` and ``parses`` are for code: case and indentation count. ``exact_answer`` and ``token_f1`` are for short
answers in English, compared as SQuAD does. ROUGE is that of rouge-score, with words of all scripts.
"""

import ast
import re
import string
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from peft_pipelines.evaluation.metrics.normalize import check, normalise
from peft_pipelines.evaluation.metrics.scripts import AnyScript

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)

# Far more than a model is asked for; Python's parser needs memory in proportion.
LONGEST_CODE = 100_000


def exact_match(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    r"""Share of answers that are a right answer, but for line ends and white space around the text and behind lines.

    Case, indentation and blanks inside a line count.

    >>> exact_match(["if x: \r\n    y\n", "If x:\n    y"], [["if x:\n    y"], ["if x:\n    y"]], [])
    {'exact_match': 0.5}
    """
    return {"exact_match": _mean_best(predictions, references, labels, lambda a, b: float(lines(a) == lines(b)))}


def exact_answer(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers that are a right answer in SQuAD's sense: without case, punctuation and articles.

    >>> exact_answer(["the U.S.!", "US troops"], [["US", "America"], ["US"]], [])
    {'exact_answer': 0.5}
    """
    return {"exact_answer": _mean_best(predictions, references, labels, lambda a, b: float(words(a) == words(b)))}


def token_f1(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Mean F1 of the words that answer and right answer share, compared as ``exact_answer`` does.

    Two texts without a word are equal, as in SQuAD 2.0.

    >>> token_f1(["the New York Times"], [["New York", "Boston"]], [])
    {'token_f1': 0.8}
    """
    return {"token_f1": _mean_best(predictions, references, labels, lambda a, b: _overlap(words(a), words(b)))}


def rouge1(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Mean ROUGE-1 F of rouge-score, without stemming. Words are runs of letters and digits in lower case.

    Of scripts without blanks, such as Chinese, each sign is a word.

    >>> rouge1(["the cat"], [["the dog sat", "a cat"]], [])
    {'rouge1': 0.5}
    """
    return {"rouge1": _mean_best(predictions, references, labels, _rouge("rouge1"))}


def rouge2(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Mean ROUGE-2 F, of pairs of neighbouring words: see ``rouge1``.

    >>> rouge2(["the cat sat"], [["the cat stood"]], [])
    {'rouge2': 0.5}
    """
    return {"rouge2": _mean_best(predictions, references, labels, _rouge("rouge2"))}


def rougeL(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Mean ROUGE-L F, of the longest common subsequence of words: see ``rouge1``.

    >>> rougeL(["the cat sat down"], [["the old cat sat"]], [])
    {'rougeL': 0.75}
    """
    return {"rougeL": _mean_best(predictions, references, labels, _rouge("rougeL"))}


def parses(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Share of answers that are Python with at least one statement, for the Python that runs this. Nothing is executed.

    >>> parses(["x = 1", "x = ", "# only a remark"], [["x = 1"]] * 3, [])
    {'parses': 0.3333333333333333}
    """
    check(predictions, references, labels)
    return {"parses": sum(map(is_python, predictions)) / len(predictions)}


def is_python(text: str) -> bool:
    """True for a text that parses as Python and holds a statement; False too where it is too long or too deep."""
    if len(text) > LONGEST_CODE:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd escapes and comparisons in the answers
            return bool(ast.parse(normalise(text)).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def lines(text: str) -> list[str]:
    r"""The lines of a text without what ``exact_match`` overlooks.

    >>> lines("\nif x:\t\r\n  y\n\n")
    ['if x:', '  y']
    """
    return [line.rstrip() for line in normalise(text).splitlines()]


def words(text: str) -> list[str]:
    """The words of a text as SQuAD compares them: lower case, no ASCII punctuation, no articles.

    >>> words("The end of an E.U. summit")
    ['end', 'of', 'eu', 'summit']
    """
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _mean_best(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    compare: Callable[[str, str], float],
) -> float:
    check(predictions, references, labels)
    best = [max(compare(text, right) for right in item) for text, item in zip(predictions, references, strict=True)]
    return sum(best) / len(best)


def _overlap(answer: list[str], right: list[str]) -> float:
    if not answer or not right:
        return float(answer == right)
    shared = (Counter(answer) & Counter(right)).total()
    return 2 * shared / (len(answer) + len(right))


def _rouge(kind: str) -> Callable[[str, str], float]:
    scorer = _rouge_scorer(kind)
    return lambda answer, right: float(scorer.score(right, answer)[kind].fmeasure)


@lru_cache
def _rouge_scorer(kind: str) -> Any:
    return import_module("rouge_score.rouge_scorer").RougeScorer([kind], tokenizer=AnyScript())
