"""Normalisation of answers before any metric reads them, the same in training and in scoring."""

from collections.abc import Sequence

NORMALISER_VERSION = 2
"""1: white space. 2: and case, where the task's row says ``ignore_case``."""


def normalise(text: str, *, ignore_case: bool = False) -> str:
    r"""The answer without white space around it; in lower case where ``ignore_case`` is set.

    A change of what this returns is a new ``NORMALISER_VERSION``: scores of two versions are not comparable.

    >>> normalise(" Not equivalent\n")
    'Not equivalent'
    """
    stripped = text.strip()
    return stripped.casefold() if ignore_case else stripped


def spelt_as_labels(predictions: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Answers that are a label but for case as that label; all others as they are.

    >>> spelt_as_labels(["Not entailment\\n", "No"], ["entailment", "not entailment"])
    ['not entailment', 'No']
    """
    words = {normalise(label, ignore_case=True): label for label in labels}
    return [words.get(normalise(text, ignore_case=True), text) for text in predictions]


def check(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> None:
    """Refuse what cannot be scored: no rows, unequal lengths, a row without a right answer or with a hidden label.

    >>> check(["yes"], [["-1"]], ["no", "yes"])
    Traceback (most recent call last):
    ValueError: item 0: right answer '-1' is not a label of the task; labels: no, yes
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions do not fit {len(references)} items of references")
    if len(predictions) == 0:
        raise ValueError("no predictions: nothing to score")
    words = {normalise(label) for label in labels}
    for number, item in enumerate(references):
        # A bare string is a sequence of strings too, and would be compared letter by letter.
        if isinstance(item, str) or len(item) == 0:
            raise ValueError(f"item {number}: a list of one or more right answers is needed, got {item!r}")
        hidden = [text for text in item if words and normalise(text) not in words]
        if hidden:
            raise ValueError(
                f"item {number}: right answer {hidden[0]!r} is not a label of the task; labels: {', '.join(labels)}"
            )
