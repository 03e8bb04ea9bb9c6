"""Scores of how likely a model finds the answers, rather than of what it wrote.

For a task of labels each item has the log-probability of every label; the label that is most likely is the answer, so
none is invalid: these scores are about what a method has learnt, not about the form of its answers.
"""

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from peft_pipelines.evaluation.metrics.classification import PAIR, accuracy, macro_f1, positions

BINS = 15

LabelScores = Sequence[Mapping[str, float]]
"""Of each item the log-probability of each label word."""


def likelihood_scores(
    scores: LabelScores, references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """``label_accuracy``, ``label_macro_f1``, ``ece`` and, where it is defined, ``auroc``.

    >>> scores = [{"no": -0.1, "yes": -2.3}, {"no": -0.7, "yes": -0.7}]
    >>> likelihood_scores(scores, [["no"], ["yes"]], ["no", "yes"])["label_accuracy"]
    0.5
    """
    best = most_likely(scores, labels)
    return {
        "label_accuracy": accuracy(best, references, labels)["accuracy"],
        "label_macro_f1": macro_f1(best, references, labels)["macro_f1"],
        **ece(scores, references, labels),
        **auroc(scores, references, labels),
    }


def most_likely(scores: LabelScores, labels: Sequence[str]) -> list[str]:
    """The most likely label of each item; of equally likely ones the first of the task's labels.

    >>> most_likely([{"no": -3.0, "yes": -1.0}, {"no": -1.0, "yes": -1.0}], ["no", "yes"])
    ['yes', 'no']
    """
    return [max(labels, key=lambda label: item[label]) for item in scores]


def ece(scores: LabelScores, references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks"), from 0 to 1.

    Confidence is the probability of the most likely label among the labels (a softmax over their log-probabilities).
    Items fall into 15 bins of equal width, each open below and closed above; the error is the mean over items of how
    far their bin's accuracy is from its mean confidence.

    >>> ece([{"no": 0.0, "yes": -50.0}, {"no": 0.0, "yes": -50.0}], [["no"], ["yes"]], ["no", "yes"])
    {'ece': 0.5}
    """
    best = most_likely(scores, labels)
    gold, answered = positions(best, references, labels)
    gaps = [0.0] * BINS
    for item, word, right in zip(scores, best, map(int.__eq__, gold, answered), strict=True):
        confidence = 1 / sum(math.exp(item[label] - item[word]) for label in labels)
        gaps[math.ceil(confidence * BINS) - 1] += confidence - right
    return {"ece": sum(map(abs, gaps)) / len(scores)}


def auroc(scores: LabelScores, references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Area under the receiver operating characteristic of two labels, by the difference of their log-probabilities.

    It is the chance that of two items of different labels the right one is ranked above the other, ties counting half
    (Hanley and McNeil 1982), so it is the same whichever label is called positive. Nothing is returned where it is
    undefined: for three labels or more, and for items that all have one right label.

    >>> auroc([{"no": -1.0, "yes": -2.0}, {"no": -1.0, "yes": -1.5}], [["no"], ["yes"]], ["no", "yes"])
    {'auroc': 1.0}
    """
    gold, _ = positions(most_likely(scores, labels), references, labels)
    if len(labels) != PAIR or len(set(gold)) != PAIR:
        return {}
    first, second = labels
    margins = [item[second] - item[first] for item in scores]
    return {"auroc": float(_sklearn().roc_auc_score(gold, margins))}


def token_accuracy(right: Sequence[int], tokens: Sequence[int]) -> dict[str, float]:
    """Share of the right answers' tokens that a model finds the most likely ones, given all tokens before them.

    One share over all tokens of the split: long answers weigh more than short ones.

    >>> token_accuracy([3, 1], [4, 1])
    {'token_accuracy': 0.8}
    """
    if not tokens or len(right) != len(tokens) or min(tokens) < 1:
        raise ValueError(f"{len(right)} counts do not fit {len(tokens)} answers of one token or more")
    return {"token_accuracy": sum(right) / sum(tokens)}


def _sklearn() -> Any:
    # Every command reads the names of the metrics and few commands score: 0.7 s of import can wait.
    return import_module("sklearn.metrics")
