from itertools import product

import pytest

from peft_pipelines.evaluation.metrics import baselines
from peft_pipelines.evaluation.metrics.baselines import majority_answer, random_scores
from peft_pipelines.evaluation.metrics.registry import METRICS, score


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ([["yes"]], "yes"),
        ([["no"], ["yes"], ["yes"]], "yes"),
        ([["yes"], ["no"]], "no"),
        ([["b"], ["a"], ["c"], ["b"], ["a"]], "a"),
        ([["yes\n"], [" yes"], ["no"]], "yes"),
        ([["x", "y"], ["y", "z"]], "y"),
        ([["x", "x", "x"], ["y"], ["y"]], "y"),
    ],
    ids=["one", "most", "tie", "tie of three", "white space", "several right answers", "repeats in one item"],
)
def test_majority_answer(references: list[list[str]], expected: str) -> None:
    assert majority_answer(references) == expected


def test_no_references_have_no_majority() -> None:
    with pytest.raises(ValueError, match=r"^no references: there is no majority answer$"):
        majority_answer([])


SOME = [["a"], ["b"], ["b"], ["c"], ["b"]]
TWO = [["a"], ["b"], ["b"]]


def test_random_answers_are_right_as_often_as_there_are_labels() -> None:
    numbers = random_scores(["accuracy", "invalid_rate"], SOME, ["a", "b", "c"])
    assert numbers["accuracy"] == pytest.approx(1 / 3, abs=1e-12)
    assert (numbers["n"], numbers["invalid_rate"]) == (5.0, 0.0)


@pytest.mark.parametrize("name", ["macro_f1", "binary_f1", "f1a", "per_class", "mcc"])
def test_the_rest_is_the_mean_over_all_answers_that_could_be_drawn(name: str) -> None:
    labels = ["a", "b"]
    every = [score([name], list(answers), TWO, labels)[name] for answers in product(labels, repeat=3)]
    assert random_scores([name], TWO, labels)[name] == pytest.approx(sum(every) / 8, abs=0.02)


def test_a_question_is_right_where_all_its_items_are() -> None:
    found = random_scores(["exact_question"], [["a"]] * 4, ["a", "b"], questions=["q", "q", "r", "r"])
    assert found["exact_question"] == pytest.approx(0.25, abs=0.05)


def test_each_draw_is_scored_as_the_metric_itself_scores_it() -> None:
    labels, draws = ["a", "b", "c"], baselines._draws(5, 3, seed=0)
    for name in ("macro_f1", "per_class", "mcc"):
        fast = baselines._of_draws(METRICS[name].weighted, SOME, labels, draws)
        slow = [score([name], [labels[place] for place in draw], SOME, labels)[name] for draw in draws]
        assert fast == pytest.approx(slow, abs=1e-12)


def test_draws_are_seeded_shifted_and_few_for_many_items() -> None:
    draws = baselines._draws(5, 2, seed=1)
    assert draws.shape == (200, 5)
    assert (draws == baselines._draws(5, 2, seed=1)).all()
    assert (draws[::2] + draws[1::2] == 1).all()
    assert baselines._draws(300_000, 2, seed=0).shape == (2, 300_000)


def test_free_text_has_no_random_answer() -> None:
    assert random_scores(["exact_match"], [["x"]] * 3, []) == {}
