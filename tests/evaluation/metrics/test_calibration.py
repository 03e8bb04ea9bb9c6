import math
import random

import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from peft_pipelines.evaluation.metrics.calibration import auroc, ece, likelihood_scores, most_likely, token_accuracy

TWO, THREE = ["no", "yes"], ["a", "b", "c"]


def scores(*chances: float) -> list[dict[str, float]]:
    """Log-probabilities of two labels, of which the second has these chances; what else might be said has half."""
    return [{"no": math.log((1 - chance) / 2), "yes": math.log(chance / 2)} for chance in chances]


def answers(text: str) -> list[list[str]]:
    return [[word] for word in text.split()]


def drawn(labels: list[str], items: int, seed: int) -> tuple[list[dict[str, float]], list[list[str]]]:
    draw = random.Random(seed)
    found = [{label: draw.gauss(-4, 2) for label in labels} for _ in range(items)]
    return found, [[draw.choice(labels)] for _ in range(items)]


@pytest.mark.parametrize(("labels", "seed"), [(TWO, 0), (TWO, 1), (THREE, 2)])
def test_accuracy_and_macro_f1_are_those_of_the_most_likely_labels(labels: list[str], seed: int) -> None:
    found, references = drawn(labels, 200, seed)
    gold, best = [item[0] for item in references], [max(item, key=item.__getitem__) for item in found]
    numbers = likelihood_scores(found, references, labels)
    assert numbers["label_accuracy"] == pytest.approx(accuracy_score(gold, best))
    assert numbers["label_macro_f1"] == pytest.approx(f1_score(gold, best, average="macro"))
    assert ("auroc" in numbers) == (labels == TWO)


@pytest.mark.parametrize("seed", range(4))
def test_auroc_is_that_of_scikit_learn_whichever_label_is_positive(seed: int) -> None:
    found, references = drawn(TWO, 100, seed)
    for labels in (TWO, TWO[::-1]):
        truth = [item[0] == labels[1] for item in references]
        expected = roc_auc_score(truth, [item[labels[1]] - item[labels[0]] for item in found])
        assert auroc(found, references, labels)["auroc"] == pytest.approx(expected)
    assert auroc(found, references, TWO) == pytest.approx(auroc(found, references, TWO[::-1]))


@pytest.mark.parametrize(
    ("chances", "gold", "expected"),
    [
        ((0.1, 0.9), "no yes", 1.0),
        ((0.9, 0.1), "no yes", 0.0),
        ((0.5, 0.5), "no yes", 0.5),
        ((0.3, 0.3, 0.6), "no yes yes", 0.75),
        ((0.2, 0.4, 0.3, 0.8), "no no yes yes", 0.75),
    ],
    ids=["right", "wrong", "tie", "one tie of two pairs", "three of four pairs"],
)
def test_auroc_counts_the_pairs_that_are_ranked_right(chances: tuple[float, ...], gold: str, expected: float) -> None:
    assert auroc(scores(*chances), answers(gold), TWO) == {"auroc": pytest.approx(expected)}


def test_auroc_is_left_out_where_it_is_undefined() -> None:
    assert auroc(scores(0.1, 0.9), answers("yes yes"), TWO) == {}
    assert auroc(*drawn(THREE, 20, 0), THREE) == {}


def test_a_split_of_one_label_still_has_all_other_numbers() -> None:
    numbers = likelihood_scores(scores(0.1, 0.9), answers("yes yes"), TWO)
    assert numbers == {"label_accuracy": 0.5, "label_macro_f1": pytest.approx(1 / 3), "ece": pytest.approx(0.4)}


@pytest.mark.parametrize(
    ("chances", "gold", "expected"),
    [
        ((0.75,) * 4, "yes yes yes no", 0.0),
        ((0.99, 0.99), "yes yes", 0.01),
        ((0.9, 0.9), "yes no", 0.4),
        ((0.1, 0.9), "no yes", 0.1),
        ((0.7, 0.97), "yes no", (0.3 + 0.97) / 2),
        ((0.5, 0.5), "no yes", 0.0),
    ],
    ids=["calibrated", "sure and right", "too sure", "of either label", "two bins", "undecided"],
)
def test_ece_by_hand(chances: tuple[float, ...], gold: str, expected: float) -> None:
    assert ece(scores(*chances), answers(gold), TWO)["ece"] == pytest.approx(expected)


@pytest.mark.parametrize(("labels", "seed"), [(TWO, 0), (THREE, 1), (THREE, 2)])
def test_ece_is_what_its_definition_says(labels: list[str], seed: int) -> None:
    found, references = drawn(labels, 300, seed)
    items = []
    for item, (gold,) in zip(found, references, strict=True):
        total = sum(map(math.exp, item.values()))
        best = max(item, key=item.__getitem__)
        items.append((math.exp(item[best]) / total, best == gold))
    expected = 0.0
    for number in range(15):
        inside = [(sure, right) for sure, right in items if number / 15 < sure <= (number + 1) / 15]
        if inside:
            confidence, accuracy = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            expected += len(inside) / len(items) * abs(accuracy - confidence)
    assert ece(found, references, labels)["ece"] == pytest.approx(expected)


def test_only_the_ratio_of_the_labels_chances_counts() -> None:
    found, references = drawn(TWO, 50, 3)
    unlikely = [{label: value - 900 for label, value in item.items()} for item in found]
    assert likelihood_scores(unlikely, references, TWO) == pytest.approx(likelihood_scores(found, references, TWO))


def test_of_equally_likely_labels_the_tasks_first_is_taken() -> None:
    assert most_likely(scores(0.5), TWO) == ["no"]
    assert most_likely(scores(0.5), TWO[::-1]) == ["yes"]


def test_token_accuracy_is_one_share_over_all_tokens() -> None:
    assert token_accuracy([0, 9], [1, 9]) == {"token_accuracy": 0.9}


@pytest.mark.parametrize(("right", "tokens"), [([], []), ([1], [1, 1]), ([0], [0])])
def test_counts_that_are_none_or_do_not_fit_are_refused(right: list[int], tokens: list[int]) -> None:
    with pytest.raises(ValueError, match="counts do not fit"):
        token_accuracy(right, tokens)
