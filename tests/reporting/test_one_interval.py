"""A score, its interval and what is best are the same in table, plot, LaTeX, page and CSV."""

import re
from pathlib import Path

import pandas as pd
import pytest
from html_page import Page
from made import MODEL, PSCP, Made, free, labelled

from peft_pipelines.reporting.comparisons import adjust_p_values
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.plots import plot
from peft_pipelines.reporting.results import write_table
from peft_pipelines.reporting.scale import is_best

METHODS = {"base": 0.3, "good": 0.9, "poor": 0.5}
Shown = dict[tuple[str, str], tuple[float, float, float]]
"""By method and task the score and the ends of its interval, in percent."""
NUMBER = r"-?\d+\.?\d*"


@pytest.fixture(scope="module", params=[1, 3], ids=["one seed", "three seeds"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"), METHODS, [labelled(), free()], seeds=request.param, n=60)


@pytest.fixture(scope="module")
def results(made: Made) -> pd.DataFrame:
    return made.table(adjust_p_values(made.compared()))


def csv(results: pd.DataFrame, folder: Path) -> Shown:
    results.to_csv(folder / "results.csv", index=False)
    rows = pd.read_csv(folder / "results.csv")
    cells = rows[rows["method"].isin(METHODS)].groupby(["method", "task"])
    means = 100 * cells[["primary", "mean_low", "mean_high"]].mean()
    return {tuple(map(str, key)): tuple(values) for key, values in zip(means.index, means.to_numpy(), strict=True)}


def cells_of(lines: list[str], separator: str) -> Shown:
    """The scores of a table as text, whose columns are the method and the two tasks."""
    found: Shown = {}
    for line in lines:
        method, *texts = [text.strip() for text in line.strip("|").split(separator)]
        for task, text in zip(("moods", "sums"), texts, strict=False):
            if method in METHODS:
                score, *_ = re.findall(NUMBER, text)
                low, high = re.findall(rf"\[({NUMBER}), ({NUMBER})\]", text)[0]
                found[method, task] = float(score), float(low), float(high)
    return found


def markdown(results: pd.DataFrame) -> Shown:
    text = write_table(results, PSCP, **{"model.tiny": MODEL})
    return cells_of([line for line in text.splitlines() if "[" in line and line.startswith("|")], "|")


def tabular(results: pd.DataFrame) -> Shown:
    found = re.findall(r"^(\w+ &.*) \\\\\[.*\n( &.*) \\\\\[", latex(results), re.MULTILINE)
    both = [zip(scores.split("&"), beneath.split("&"), strict=True) for scores, beneath in found]
    return cells_of(["&".join(f"{score} {ends}" for score, ends in line) for line in both], "&")


def page(made: Made) -> Shown:
    found: Shown = {}
    for attributes, _ in Page(made.page()).all("button"):
        if "data-cells" in attributes:
            method, _, task, _ = attributes["data-cells"].split()[0].split(".")
            words = rf": ({NUMBER}) percent; 95 % interval ({NUMBER}) to ({NUMBER});"
            score, low, high = re.findall(words, attributes["aria-label"])[0]
            found[method, task] = float(score), float(low), float(high)
    return found


def picture(results: pd.DataFrame) -> Shown:
    found: Shown = {}
    for trace in plot(results).data:
        if trace.error_x.array is not None:
            task = "sums" if trace.xaxis == "x2" else "moods"
            bars = zip(trace.y, trace.x, trace.error_x.arrayminus, trace.error_x.array, strict=True)
            found |= {(name, task): (mean, mean - below, mean + above) for name, mean, below, above in bars}
    return {key: values for key, values in found.items() if key[0] in METHODS}


def test_one_score_and_one_interval_everywhere(made: Made, results: pd.DataFrame, tmp_path: Path) -> None:
    expected = csv(results, tmp_path)
    assert len(expected) == 6
    for name, found, digits in (
        ("plot", picture(results), 9),
        ("page", page(made), 1),
        ("markdown", markdown(results), 0),
        ("latex", tabular(results), 0),
    ):
        assert set(found) == set(expected), name
        for key, (score, low, high) in expected.items():
            assert found[key][0] == pytest.approx(score, abs=0.051), (name, key)
            near = 0.51 * 10.0**-digits
            assert found[key][1:] == (pytest.approx(low, abs=near), pytest.approx(high, abs=near)), (name, key)


def test_what_is_best_is_the_same_on_the_page_and_in_latex(made: Made, results: pd.DataFrame) -> None:
    bold = re.findall(r"^(\w+) &.*\\textbf", latex(results), re.MULTILINE)
    cells = Page(made.page()).all("td")
    assert bold == ["good"]
    assert sum("best" in attributes.get("class", "") for attributes, _ in cells) == 2


def test_a_method_that_trains_nothing_is_never_the_best(tmp_path: Path) -> None:
    made = Made(tmp_path, {"base": 0.95, "poor": 0.3}, [labelled()], n=40)
    results = made.table(adjust_p_values(made.compared()))
    assert re.findall(r"^(\w+) &.*\\textbf", latex(results), re.MULTILINE) == ["poor"]
    cells = Page(made.page()).all("td")
    assert sum("best" in attributes.get("class", "") for attributes, _ in cells) == 1


def test_the_best_mean_is_known_whatever_the_order_of_its_sum() -> None:
    scores = (0.15, 0.1, 0.1625)
    cells = pd.DataFrame({"trainable_parameters": [1.0] * 3, "primary": scores})
    best = sum(reversed(scores)) / 3
    assert is_best(cells, best) and not is_best(cells, best + 1e-6)
    assert not is_best(cells.assign(trainable_parameters=0.0), best)
