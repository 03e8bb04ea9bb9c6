"""The checks of scikit-learn for all estimators, on a classifier that is given numbers as texts.

They draw tables of numbers, of which a classifier of texts takes none: here each row is written out.
"""

from typing import Any

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from tiny_classifiers import MODEL, TRAINING, tiny_model

from peft_pipelines.api.classifier import PeftClassifier

__all__ = ["tiny_model"]


class OfNumbers(PeftClassifier):
    """The classifier behind scikit-learn's own reading of tables."""

    def fit(self, X: Any, y: Any) -> "OfNumbers":
        """Train it on the rows as texts."""
        X, y = validate_data(self, X, y)
        super().fit(written(X), y)
        return self

    def predict_proba(self, X: Any) -> "np.ndarray[Any, Any]":
        """How likely each label of each row is."""
        check_is_fitted(self)
        return super().predict_proba(written(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self) -> Any:
        """Tables of numbers, and a model of random weights that learns nothing."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.classifier_tags.poor_score = True, True
        tags.input_tags.string = tags.input_tags.one_d_array = False
        return tags


def written(table: "np.ndarray[Any, Any]") -> list[str]:
    """Each row as a text."""
    return [" ".join(f"{value:.3g}" for value in row) for row in table]


LAST_BITS = "the last bits of likelihoods may depend on the texts that are asked together, as the processor adds up"
EXPECTED = {
    "check_methods_subset_invariance": LAST_BITS,
    "check_methods_sample_order_invariance": LAST_BITS,
}


@parametrize_with_checks(
    [OfNumbers("bitfit", MODEL, training=TRAINING)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_a_check_of_scikit_learn(estimator: PeftClassifier, check: Any) -> None:
    check(estimator)
