"""Facts on one model that the summary's sentences are made of."""

import pandas as pd
import pytest
from made import method

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.reporting.summary_facts import Facts

SPECS = {name: parse(MethodSpec, name, method(name, "adapter")) for name in ("a", "b")}


def facts(cells: list[dict[str, object]], pairs: list[dict[str, object]]) -> Facts:
    common = {"metric": "accuracy", "seed": "s0", "task": "moods"}
    return Facts.of(
        pd.DataFrame([{**common, **cell} for cell in cells]),
        pd.DataFrame(
            [{"task": "moods", "metric": "accuracy", "about": "methods", "test": "mcnemar", **pair} for pair in pairs]
        ),
        SPECS,
    )


def test_the_best_goes_by_the_lowest_score_where_lower_is_better() -> None:
    cells = [
        {"method": "a", "primary": 0.9, "metric": "rmse"},
        {"method": "b", "primary": 0.2, "metric": "rmse"},
    ]
    found = facts(cells, [{"first": "b", "second": "a", "p_holm": 0.01, "detectable": 0.1}])
    assert found.best() == {"moods": ["b"]}


def test_the_best_goes_by_the_mean_over_seeds() -> None:
    cells = [{"method": name, "primary": score} for name, score in (("a", 0.9), ("a", 0.1), ("b", 0.6), ("b", 0.6))]
    found = facts(cells, [{"first": "b", "second": "a", "p_holm": 0.01, "detectable": 0.1}])
    assert found.best() == {"moods": ["b"]} and not found.one_seed and found.noun == "method"


def test_a_cost_that_one_cell_has_not_is_not_known() -> None:
    cells = [{"method": "a", "primary": 0.9, "train_seconds": seconds} for seconds in (1.0, None)]
    assert facts(cells, []).mean("a", "train_seconds") is None
    assert facts(cells[:1], []).mean("a", "train_seconds") == 1.0


@pytest.mark.parametrize(("p", "undecided"), [(0.049, False), (0.05, True)])
def test_undecided_where_two_tuned_methods_do_not_differ(p: float, undecided: bool) -> None:
    cells = [{"method": name, "primary": 0.9} for name in ("a", "b")]
    found = facts(cells, [{"first": "a", "second": "b", "p_holm": p, "detectable": 0.071}])
    assert found.undecided == undecided
    assert found.detectable() == {"moods": (0.071, "7.1 points")}
