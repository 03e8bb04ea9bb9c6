import random
from collections.abc import Callable

import pytest
from sklearn import metrics as sklearn

from peft_pipelines.evaluation.metrics.baselines import majority_answer
from peft_pipelines.evaluation.metrics.classification import (
    accuracy,
    binary_f1,
    f1a,
    invalid_rate,
    macro_f1,
    mcc,
    per_class,
)
from peft_pipelines.evaluation.metrics.registry import METRICS, score

BINARY = ["no", "yes"]
LABEL_METRICS = ["macro_f1", "per_class", "invalid_rate", "mcc"]


def _items(gold: list[str]) -> list[list[str]]:
    return [[word] for word in gold]


def _random_rows(seed: int, labels: list[str], invalid: list[str]) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    gold = [chance.choice(labels) for _ in range(200)]
    return [word if chance.random() < 0.6 else chance.choice(labels + invalid) for word in gold], gold


# --- literal rows ---


@pytest.mark.parametrize(
    ("prediction", "item", "expected"),
    [
        ("yes", ["yes"], 1.0),
        ("no", ["yes"], 0.0),
        ("YES", ["yes"], 0.0),
        ("yes.", ["yes"], 0.0),
        ("", ["yes"], 0.0),
        ("Denver", ["Denver Broncos", "Denver"], 1.0),
        ("Broncos", ["Denver Broncos", "Denver"], 0.0),
    ],
)
def test_accuracy_of_one_row(prediction: str, item: list[str], expected: float) -> None:
    assert accuracy([prediction], [item], []) == {"accuracy": expected}


def test_literal_rows_of_every_label_metric() -> None:
    predictions = ["yes", "yes", "no", "perhaps", "yes"]
    gold = ["yes", "no", "no", "no", "yes"]
    scores = score(["accuracy", *LABEL_METRICS], predictions, _items(gold), BINARY)
    assert scores == pytest.approx(
        {
            "accuracy": 3 / 5,
            "macro_f1": (1 / 2 + 4 / 5) / 2,
            "per_class": (1 / 3 + 1) / 2,
            "precision.no": 1.0,
            "precision.yes": 2 / 3,
            "recall.no": 1 / 3,
            "recall.yes": 1.0,
            "f1.no": 1 / 2,
            "f1.yes": 4 / 5,
            "support.no": 3.0,
            "support.yes": 2.0,
            "confusion.no.no": 1.0,
            "confusion.no.yes": 1.0,
            "confusion.no.invalid": 1.0,
            "confusion.yes.no": 0.0,
            "confusion.yes.yes": 2.0,
            "confusion.yes.invalid": 0.0,
            "invalid_rate": 1 / 5,
            "mcc": 6 / (14 * 12) ** 0.5,
            "n": 5.0,
        }
    )


def test_absent_label_counts_in_macro_f1_not_in_balanced_accuracy() -> None:
    rows = ["no", "yes"], _items(["no", "yes"]), ["no", "yes", "maybe"]
    assert macro_f1(*rows) == {"macro_f1": pytest.approx(2 / 3)}
    assert per_class(*rows)["per_class"] == 1.0


def test_label_words_may_hold_blanks_and_dots() -> None:
    scores = per_class(["not equivalent"], [["not equivalent"]], ["not equivalent", "eq."])
    assert scores["recall.not equivalent"] == 1.0
    assert scores["confusion.not equivalent.eq."] == 0.0


# --- against scikit-learn ---


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("labels", [BINARY, ["A", "B", "C", "D"]], ids=["binary", "four labels"])
def test_scikit_learn_agrees_where_all_answers_are_valid(labels: list[str], seed: int) -> None:
    predictions, gold = _random_rows(seed, labels, [])
    scores = score(["accuracy", *LABEL_METRICS], predictions, _items(gold), labels)
    assert scores["accuracy"] == pytest.approx(sklearn.accuracy_score(gold, predictions))
    assert scores["macro_f1"] == pytest.approx(sklearn.f1_score(gold, predictions, average="macro"))
    assert scores["per_class"] == pytest.approx(sklearn.balanced_accuracy_score(gold, predictions))
    assert scores["mcc"] == pytest.approx(sklearn.matthews_corrcoef(gold, predictions))
    assert scores["invalid_rate"] == 0.0
    report = sklearn.classification_report(gold, predictions, output_dict=True)
    for word in labels:
        assert scores[f"precision.{word}"] == pytest.approx(report[word]["precision"])
        assert scores[f"recall.{word}"] == pytest.approx(report[word]["recall"])
        assert scores[f"f1.{word}"] == pytest.approx(report[word]["f1-score"])
        assert scores[f"support.{word}"] == report[word]["support"]


@pytest.mark.parametrize("seed", range(5))
def test_scikit_learn_agrees_where_invalid_answers_are_outside_its_labels(seed: int) -> None:
    labels = ["A", "B", "C"]
    predictions, gold = _random_rows(seed, labels, ["a", "", "D"])
    scores = score(LABEL_METRICS, predictions, _items(gold), labels)
    merged = [word if word in labels else "invalid" for word in predictions]
    assert scores["macro_f1"] == pytest.approx(sklearn.f1_score(gold, predictions, labels=labels, average="macro"))
    assert scores["mcc"] == pytest.approx(sklearn.matthews_corrcoef(gold, merged))
    assert scores["per_class"] == pytest.approx(sklearn.recall_score(gold, merged, labels=labels, average="macro"))
    matrix = sklearn.confusion_matrix(gold, merged, labels=[*labels, "invalid"])
    for row, word in enumerate(labels):
        for column, name in enumerate([*labels, "invalid"]):
            assert scores[f"confusion.{word}.{name}"] == matrix[row][column]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("invalid", [[], ["perhaps", "YES", ""]], ids=["valid", "some invalid"])
def test_scikit_learn_agrees_on_the_f1_of_label_1(invalid: list[str], seed: int) -> None:
    predictions, gold = _random_rows(seed, BINARY, invalid)
    expected = sklearn.f1_score(gold, predictions, labels=["yes"], average="macro")
    assert binary_f1(predictions, _items(gold), BINARY) == {"binary_f1": pytest.approx(expected)}
    assert f1a(predictions, _items(gold), BINARY) == {"f1a": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("answer", "counts", "expected"),
    [("yes", (322, 721), 0.818), ("no", (66, 38), 0.0), ("yes", (129, 279), 0.812)],
    ids=["cola", "wsc", "mrpc"],
)
def test_binary_f1_of_a_constant_answer_follows_from_the_split_counts(
    answer: str, counts: tuple[int, int], expected: float
) -> None:
    gold = ["no"] * counts[0] + ["yes"] * counts[1]
    assert binary_f1([answer] * len(gold), _items(gold), BINARY)["binary_f1"] == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("metric", [binary_f1, f1a])
@pytest.mark.parametrize("labels", [["yes"], ["no", "yes", "maybe"]])
def test_the_f1_of_label_1_needs_two_labels(metric: Callable[..., dict[str, float]], labels: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^two labels are needed, got \['"):
        metric(["yes"], [["yes"]], labels)


# --- known traps ---


@pytest.mark.parametrize(
    ("frequent", "rare", "counts", "expected"),
    [
        ("acceptable", "unacceptable", (721, 322), {"accuracy": 0.691, "macro_f1": 0.409, "f1.acceptable": 0.817}),
        ("false", "true", (66, 38), {"accuracy": 0.635, "macro_f1": 0.388, "f1.true": 0.0}),
        ("equivalent", "not equivalent", (279, 129), {"accuracy": 0.684, "macro_f1": 0.406, "f1.equivalent": 0.812}),
    ],
    ids=["cola", "wsc", "mrpc"],
)
def test_constant_answer_scores_as_the_public_split_counts_say(
    frequent: str, rare: str, counts: tuple[int, int], expected: dict[str, float]
) -> None:
    references = _items([frequent] * counts[0] + [rare] * counts[1])
    predictions = [majority_answer(references)] * len(references)
    scores = score(["accuracy", *LABEL_METRICS], predictions, references, [rare, frequent])
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=5e-4)
    assert (scores["per_class"], scores["mcc"], scores["invalid_rate"]) == (0.5, 0.0, 0.0)


def test_one_invalid_answer_in_100_moves_macro_f1_by_half_a_point() -> None:
    gold = BINARY * 50
    perfect = macro_f1(gold, _items(gold), BINARY)["macro_f1"]
    with_invalid = macro_f1(["maybe", *gold[1:]], _items(gold), BINARY)["macro_f1"]
    assert perfect == 1.0
    assert perfect - with_invalid == pytest.approx(0.005, abs=2e-4)


def test_invalid_answer_is_neither_dropped_nor_flipped_nor_repaired() -> None:
    gold = ["yes", "no"]
    scores = score(["accuracy", *LABEL_METRICS], ["yes", "I say no"], _items(gold), BINARY)
    assert scores["accuracy"] == 0.5
    assert scores["confusion.no.invalid"] == 1.0
    assert scores["confusion.no.yes"] == 0.0
    assert scores["n"] == 2.0


@pytest.mark.parametrize("answer", ["", "gibberish"])
def test_only_invalid_answers_score_zero_and_no_less(answer: str) -> None:
    scores = score(["accuracy", *LABEL_METRICS], [answer] * 4, _items(BINARY * 2), BINARY)
    zero = {name: scores[name] for name in ("accuracy", "macro_f1", "per_class", "mcc")}
    assert zero == dict.fromkeys(zero, 0.0)
    assert scores["invalid_rate"] == 1.0


def test_invalid_answers_to_one_label_cost_mcc_what_they_cost_macro_f1() -> None:
    gold = ["yes"] * 70 + ["no"] * 30
    rows = ["yes"] * 70 + ["gibberish"] * 30, _items(gold), BINARY
    assert mcc(*rows)["mcc"] == pytest.approx(0.5)
    assert macro_f1(*rows)["macro_f1"] == pytest.approx(0.5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("answer", ["no", "yes", "gibberish"])
def test_mcc_of_a_single_gold_label_is_zero_without_a_warning(answer: str) -> None:
    assert mcc([answer] * 3, _items(["no"] * 3), BINARY) == {"mcc": 0.0}


def test_strings_with_equal_first_16_characters_are_different_answers() -> None:
    long, other = "contradiction by negation", "contradiction by numbers"
    assert long[:16] == other[:16]
    scores = score(["accuracy", *LABEL_METRICS], [long, long], _items([long, other]), [long, other])
    assert scores["accuracy"] == 0.5
    assert scores[f"confusion.{other}.{long}"] == 1.0
    assert invalid_rate([long[:16]], [[long]], [long, other]) == {"invalid_rate": 1.0}


def test_trailing_nul_makes_another_answer() -> None:
    assert macro_f1(["yes\0"], [["yes"]], BINARY) == {"macro_f1": 0.0}


def test_trailing_newline_does_not_make_every_answer_wrong() -> None:
    predictions = ["yes\n", " no", "yes \r\n"]
    scores = score(["accuracy", *LABEL_METRICS], predictions, _items(["yes", "no", "yes"]), BINARY)
    perfect = {name: scores[name] for name in ("accuracy", "macro_f1", "per_class", "mcc")}
    assert perfect == pytest.approx(dict.fromkeys(perfect, 1.0))
    assert scores["invalid_rate"] == 0.0


# --- refusals ---


@pytest.mark.parametrize("name", ["accuracy", *LABEL_METRICS])
def test_hidden_label_is_an_error_and_never_a_class(name: str) -> None:
    with pytest.raises(ValueError, match=r"^item 1: right answer '-1' is not a label of the task; labels: no, yes$"):
        METRICS[name].function(["no", "no"], [["no"], ["-1"]], BINARY)


@pytest.mark.parametrize("name", LABEL_METRICS)
@pytest.mark.parametrize("labels", [[], ["yes", "invalid"], ["yes", "yes "]])
def test_labels_must_be_distinct_and_there(name: str, labels: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^labels must be distinct words other than 'invalid', got "):
        METRICS[name].function(["yes"], [["yes"]], labels)


@pytest.mark.parametrize("name", LABEL_METRICS)
def test_two_right_labels_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^item 0: exactly one right label is needed, got \['no', 'yes'\]$"):
        METRICS[name].function(["yes"], [["no", "yes"]], BINARY)
