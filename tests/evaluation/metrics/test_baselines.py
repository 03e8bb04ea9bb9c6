from collections.abc import Callable
from itertools import product

import pytest

from peft_pipelines.evaluation.metrics.baselines import majority_answer, random_scores
from peft_pipelines.evaluation.metrics.registry import score


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


def _score(references: list[list[str]], labels: list[str]) -> Callable[[list[str]], dict[str, float]]:
    return lambda answers: score(["accuracy", "macro_f1"], answers, references, labels)


def test_random_answers_are_right_as_often_as_there_are_labels() -> None:
    references, labels = [["a"], ["b"], ["b"], ["c"], ["b"]], ["a", "b", "c"]
    numbers = random_scores(_score(references, labels), 5, labels)
    assert numbers["accuracy"] == pytest.approx(1 / 3, abs=1e-12)
    assert numbers["n"] == 5.0


def test_random_macro_f1_is_the_mean_over_all_answers_that_could_be_drawn() -> None:
    references, labels = [["a"], ["b"], ["b"]], ["a", "b"]
    scored = _score(references, labels)
    every = [scored(list(answers))["macro_f1"] for answers in product(labels, repeat=3)]
    assert random_scores(scored, 3, labels)["macro_f1"] == pytest.approx(sum(every) / 8, abs=0.02)


def test_random_scores_are_seeded_and_take_few_draws_of_many_items() -> None:
    calls: list[int] = []

    def count(answers: list[str]) -> dict[str, float]:
        calls.append(len(answers))
        return {"yes": answers.count("yes") / len(answers), "first": float(answers[0] == "yes")}

    assert random_scores(count, 5, ["no", "yes"], seed=1) == random_scores(count, 5, ["no", "yes"], seed=1)
    assert calls == [5] * 400
    calls.clear()
    assert random_scores(count, 300_000, ["no", "yes"])["yes"] == 0.5
    assert calls == [300_000] * 2


def test_free_text_has_no_random_answer() -> None:
    assert random_scores(lambda answers: {"accuracy": 1.0}, 3, []) == {}
