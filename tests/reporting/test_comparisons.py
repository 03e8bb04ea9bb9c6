"""Comparisons of methods, their adjusted p-values and what the report draws from them."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from made import Made, free, labelled

from peft_pipelines.config import TaskSpec
from peft_pipelines.reporting.comparisons import adjust_p_values, compare, groups, like_majority
from peft_pipelines.reporting.details import items_digest


def given(task: TaskSpec, right: list[str], **answers: list[list[str]]) -> dict[str, Any]:
    """The arguments of ``compare``: of each method the answers of its seeds on one task of one model."""
    rows = [{"prompt": f"line {place}", "references": [word]} for place, word in enumerate(right)]
    items = items_digest(rows)
    return {
        "majority": [{"model": "tiny", "task": task.name, "answer": task.label_words[0] if task.labels else "2"}],
        f"task.{task.name}": task,
        f"prompts.{task.name}": {"test": pa.Table.from_pylist(rows)},
        **{
            f"answers.{method}": {
                f"tiny.{task.name}.s{place}": {"items": items, "answers": found} for place, found in enumerate(seeds)
            }
            for method, seeds in answers.items()
        },
    }


RIGHT = ["no", "yes"] * 20
GOOD, POOR = [*RIGHT[:36], "no", "no", "no", "no"], ["no"] * 38 + ["yes", "yes"]


def test_methods_stand_best_first_with_their_intervals_and_all_pairs() -> None:
    (entry,) = compare(**given(labelled(), RIGHT, poor=[POOR], good=[GOOD]))
    assert (entry["model"], entry["task"], entry["metric"]) == ("tiny", "moods", "macro_f1")
    assert list(entry["scores"]) == ["good", "poor", "majority"]
    assert entry["scores"]["good"]["value"] == pytest.approx(0.9499, abs=1e-4)
    assert entry["scores"]["good"]["low"] < 0.9499 < entry["scores"]["good"]["high"]
    assert [(pair["first"], pair["second"]) for pair in entry["pairs"]] == [
        ("good", "poor"),
        ("good", "majority"),
        ("poor", "majority"),
    ]
    best = entry["pairs"][1]
    assert best["difference"] == pytest.approx(0.9499 - 1 / 3, abs=1e-4)
    assert (best["n"], best["units"], best["test"]) == (40, 40, "bootstrap_t")


def test_a_share_of_independent_rows_of_one_seed_is_compared_by_mcnemar() -> None:
    parts = given(labelled(metrics=["accuracy"]), RIGHT, good=[GOOD], poor=[POOR])
    pairs = {(pair["first"], pair["second"]): pair for pair in compare(**parts)[0]["pairs"]}
    assert pairs["good", "poor"]["test"] == "mcnemar"
    assert pairs["good", "poor"]["p"] == pytest.approx(21 / 2**19)  # 19 rows against 1


def test_seeds_of_a_method_count_together() -> None:
    (entry,) = compare(**given(labelled(), RIGHT, good=[GOOD, RIGHT], poor=[POOR]))
    assert entry["scores"]["good"]["value"] == pytest.approx((0.9499 + 1) / 2, abs=1e-4)
    assert entry["scores"]["good"]["n"] == 40


@pytest.mark.parametrize(("seedless", "about"), [(True, "methods"), (False, "checkpoints")])
def test_what_draws_nothing_would_answer_the_same_from_each_seed(seedless: bool, about: str) -> None:
    parts = given(labelled(), RIGHT, good=[GOOD] * 3, untuned=[POOR])
    parts["answers.untuned"]["tiny.moods.s0"]["seedless"] = seedless
    (entry,) = compare(**parts)
    found = {(pair["first"], pair["second"]): pair["about"] for pair in entry["pairs"]}
    assert (found["good", "untuned"], found["good", "majority"]) == (about, "methods")


def test_answers_to_other_items_are_left_out() -> None:
    parts = given(labelled(), RIGHT, good=[GOOD], stale=[GOOD])
    parts["answers.stale"]["tiny.moods.s0"]["items"] = "of other rows"
    assert list(compare(**parts)[0]["scores"]) == ["good", "majority"]


def test_a_metric_of_continuations_compares_picks_not_what_was_written() -> None:
    task = labelled(metrics=["acc", "accuracy"], continuations={})
    parts = given(task, RIGHT, good=[POOR], poor=[RIGHT])
    for name, picked in (("good", GOOD), ("poor", POOR)):
        parts[f"answers.{name}"]["tiny.moods.s0"] |= {"picked": {"acc": picked}, "cut_off_rate": 1.0}
    (entry,) = compare(**parts)
    assert entry["metric"] == "acc" and list(entry["scores"]) == ["good", "majority", "poor"]
    assert (entry["scores"]["good"]["value"], entry["scores"]["poor"]["value"]) == (0.95, 0.5)
    pairs = {(pair["first"], pair["second"]): pair for pair in entry["pairs"]}
    assert pairs["good", "poor"]["test"] == "mcnemar"
    assert pairs["good", "poor"]["p"] == pytest.approx(21 / 2**19)


def cut(rate: float) -> pd.DataFrame:
    """The differences of two methods of which the worse one had a share of its answers cut off."""
    parts = given(labelled(), RIGHT, good=[GOOD], poor=[POOR])
    parts["answers.good"]["tiny.moods.s0"]["cut_off_rate"] = 0.0
    parts["answers.poor"]["tiny.moods.s0"]["cut_off_rate"] = rate
    return adjust_p_values(compare(**parts))


def test_nothing_is_better_than_answers_that_were_cut_off() -> None:
    found = cut(0.05).set_index(["first", "second"])
    untested = found.loc["good", "poor"]
    assert untested["test"] == "cut_off" and pd.isna(untested["p"]) and pd.isna(untested["p_holm"])
    assert untested["difference"] > 0.5 and untested["low"] > 0
    assert groups(cut(0.05), "tiny", "moods") == {"good": "a", "poor": "ab", "majority": "b"}


def test_a_pair_without_a_test_is_none_that_holm_adjusts_for() -> None:
    tested, whole = cut(0.05), cut(0.04)
    p = {table: frame.set_index(["first", "second"])["p_holm"] for table, frame in (("cut", tested), ("all", whole))}
    own = whole.set_index(["first", "second"])["p"]["good", "majority"]
    assert p["cut"]["good", "majority"] == pytest.approx(2 * own)
    assert p["all"]["good", "majority"] == pytest.approx(3 * own)
    assert groups(whole, "tiny", "moods") == {"good": "a", "poor": "b", "majority": "b"}


def test_the_better_one_may_be_cut_off() -> None:
    parts = given(labelled(), RIGHT, good=[GOOD], poor=[POOR])
    parts["answers.good"]["tiny.moods.s0"]["cut_off_rate"] = 1.0
    assert not adjust_p_values(compare(**parts))["p"].isna().any()


OF_ONE_SEED = {"seeds": 1, "about": "checkpoints", "test": "bootstrap"}


def pair(task: str, first: str, second: str, p: float) -> dict[str, Any]:
    numbers = dict.fromkeys(("difference", "low", "high", "error", "detectable"), 0.1)
    return {"first": first, "second": second, "p": p, **numbers, "n": 40, "units": 40, **OF_ONE_SEED}


def entry(model: str, task: str, *pairs: tuple[str, str, float]) -> dict[str, Any]:
    return {"model": model, "task": task, "metric": "macro_f1", "pairs": [pair(task, *found) for found in pairs]}


def test_holm_runs_over_all_tasks_of_a_model_and_not_over_models() -> None:
    table = adjust_p_values(
        [
            entry("tiny", "moods", ("a", "b", 0.01)),
            entry("tiny", "sums", ("a", "b", 0.04)),
            entry("small", "moods", ("a", "b", 0.04)),
        ]
    )
    assert list(table["p_holm"]) == [0.02, 0.04, 0.04]
    assert list(table.columns[:4]) == ["model", "task", "first", "second"]


def test_no_comparisons_are_an_empty_table_that_all_readers_take() -> None:
    table = adjust_p_values([{"model": "tiny", "task": "moods", "metric": "macro_f1", "pairs": []}])
    assert len(table) == 0 and "p_holm" in table
    assert like_majority(table) == set()


def adjusted(*pairs: tuple[str, str, float]) -> pd.DataFrame:
    """A table of one task whose adjusted p-values are these."""
    rows = [{"model": "tiny", "task": "moods", "first": a, "second": b, "p_holm": p} for a, b, p in pairs]
    return pd.DataFrame(rows)


def test_groups_share_a_letter_where_nothing_tells_them_apart() -> None:
    table = adjusted(("a", "b", 0.5), ("a", "c", 0.01), ("b", "c", 0.3))
    assert groups(table, "tiny", "moods") == {"a": "a", "b": "ab", "c": "b"}


def test_what_is_not_better_than_the_majority_answer_is_like_it() -> None:
    table = adjusted(("good", "majority", 0.001), ("even", "majority", 0.2), ("majority", "worse", 0.001))
    assert like_majority(table) == {("tiny", "moods", "even"), ("tiny", "moods", "worse")}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Twelve methods on two tasks, the better half far ahead."""
    shares = {f"m{place}": 0.95 if place < 6 else 0.3 for place in range(12)}
    return Made(tmp_path_factory.mktemp("many"), shares, [labelled(), free()], n=150)


def test_holm_over_a_wide_table_still_tells_plain_differences_apart(many: Made) -> None:
    """156 pairs: with p-values of 2 / 10,001 at least, Holm would leave none of the macro F1 below .03."""
    table = adjust_p_values(many.compared())
    plain = table[
        table["first"].isin([f"m{n}" for n in range(6)]) & table["second"].isin([f"m{n}" for n in range(6, 12)])
    ]
    assert len(table) == 156 and len(plain) == 72
    assert (plain["p_holm"] < 1e-4).all()
    assert set(plain["test"]) == {"bootstrap_t", "mcnemar"}


def test_alike_methods_share_a_letter_and_the_two_halves_none(many: Made) -> None:
    found = groups(adjust_p_values(many.compared()), "tiny", "moods")
    better, worse = ("".join(found[f"m{n}"] for n in part) for part in (range(6), range(6, 12)))
    assert not set(better) & set(worse)
