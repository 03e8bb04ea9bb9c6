"""How likely each label of a task is, out of the log-probabilities of all of them."""

import math
from collections.abc import Mapping


def probabilities(label_scores: Mapping[str, float]) -> dict[str, float]:
    """Return the softmax of labels' log-probabilities: how likely each is among the labels.

    >>> probabilities({"no": -1.0, "yes": -1.0})
    {'no': 0.5, 'yes': 0.5}
    """
    highest = max(label_scores.values())
    weights = {label: math.exp(score - highest) for label, score in label_scores.items()}
    return {label: weight / sum(weights.values()) for label, weight in weights.items()}
