"""The report's page: what a reader finds in it, and that it needs nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from html_page import Page
from made import FAILURE, PSCP, Made, free, labelled
from project import Project, project  # noqa: F401  (a fixture)

from peft_pipelines.config import PublishedSpec, parse
from peft_pipelines.reporting.comparisons import adjust_p_values, no_differences
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.page import facts
from peft_pipelines.reporting.page.packed import packed, unpacked
from peft_pipelines.reporting.pareto import plot_costs
from peft_pipelines.reporting.pscp_ranking import discounted, first, inputs, stability
from peft_pipelines.reporting.table import markdown

PROJECT = Path(__file__).parents[2]
SHARES = {"base": 0.1, "good": 0.95, "poor": 0.5}
BREAK_OUT = "</script><script>alert(1)</script><!--"


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of three methods, two tasks, one seed; one of the questions tries to break out of its place."""
    made = Made(tmp_path_factory.mktemp("page"), SHARES, [labelled(), free()], words=BREAK_OUT)
    return made.page()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two models and two seeds, with a cell that failed and one that was not run; the cells know nothing of a run."""
    lost = {"good.tiny.moods.s0": FAILURE, "poor.small.sums.s1": None, "poor.tiny.moods.s0": None}
    lost |= {"poor.tiny.moods.s1": None}
    folder = tmp_path_factory.mktemp("seeds")
    tasks, models = [labelled(), free()], ("tiny", "small")
    return Made(folder, SHARES, tasks, models=models, seeds=2, lost=lost, provenance={}).page()


def test_nothing_is_asked_of_the_network(text: str) -> None:
    page = Page(text)
    links = [
        value
        for _, attributes, _ in page.found
        for name, value in attributes.items()
        if name in ("src", "href", "action")
    ]
    assert links and all(link.startswith("#") for link in links)
    assert {tag for tag, _, _ in page.found} & {"link", "iframe", "img", "object", "base"} == set()
    style = page.all("style")[0][1]
    assert "url(" not in style and "@import" not in style


def test_a_question_cannot_end_the_element_that_it_stands_in(text: str) -> None:
    page = Page(text)
    assert len(page.all("script")) == 5
    assert BREAK_OUT not in text and "alert(1)" not in text.replace(page.script("details"), "")
    asked = page.details["good.tiny.moods.s0"]["predictions"][0]["prompt"]
    assert asked.startswith(BREAK_OUT)


def test_names_and_notes_are_escaped(tmp_path: Path) -> None:
    lost = {"good.tiny.moods.s0": FAILURE | {"reason": "<b onclick=x> & more"}}
    text = Made(tmp_path, SHARES, [labelled()], lost=lost).page()
    assert "&lt;b onclick=x&gt; &amp; more" in text and "<b onclick" not in text


def test_every_number_of_a_cell_leads_to_what_stands_behind_it(text: str, seeds: str) -> None:
    assert Page(text).cells == [f"{name}.tiny.{task}.s0" for name in SHARES for task in ("moods", "sums")]
    for page in (Page(text), Page(seeds)):
        assert sorted(page.cells) == sorted(page.details)


def test_figures_and_numbers_for_the_script_are_json_without_nan(text: str) -> None:
    data = Page(text).data
    assert {"trainable_parameters", "train_seconds", "ranks.tiny", "curves"} <= data["figures"].keys()
    assert [row["method"] for row in data["pscp"]["tiny"]] == ["base", "good", "poor"]
    assert data["constants"] == PSCP.model_dump()


def test_numbers_have_intervals_signs_and_words_for_screen_readers(tmp_path: Path) -> None:
    page = Page(Made(tmp_path, {"base": 0.0, "good": 0.95}, [labelled()], n=200).page())
    spoken = {
        attributes["data-cells"]: attributes["aria-label"]
        for attributes, _ in page.all("button")
        if "data-cells" in attributes
    }
    words = r"good on moods: 9\d\.\d percent; 95 % interval 9\d\.\d to \d+\.\d; 200 test examples"
    assert re.fullmatch(words, spoken["good.tiny.moods.s0"])
    small = [text for attributes, text in page.all("small")]
    assert sum(" to " in text for text in small) == 3  # both methods, and the majority answer
    assert page.all("title")[0][1].strip() == "base and good on moods"


def test_a_score_like_the_majoritys_is_marked_and_pale(tmp_path: Path) -> None:
    page = Page(Made(tmp_path, {"base": -1.0, "good": 0.95}, [free()], n=40).page())
    cells = {attributes["class"] for attributes, _ in page.all("td") if "class" in attributes}
    assert "low" in cells and "best" in cells
    assert "not significantly different from always giving the most frequent answer" in page.words
    assert next(text for kind, text in page.all("span") if kind.get("class") == "mark").strip() == "≈"


def test_several_seeds_show_mean_deviation_count_and_interval(seeds: str) -> None:
    small = [text for _, text in Page(seeds).all("small")]
    both = [place for place, text in enumerate(small) if text.startswith("± ") and "(2 seeds)" in text]
    assert len(both) == 9  # of 12 pairs of seeds three lost one or both
    assert all(" to " in small[place + 1] for place in both)


def test_the_interval_of_a_mean_over_seeds_is_that_of_the_comparisons(tmp_path: Path) -> None:
    made = Made(tmp_path, {"base": 0.5, "good": 0.9}, [labelled()], seeds=2)
    found = made.compared()[0]["scores"]["good"]
    low, high = 100 * found["low"], 100 * found["high"]
    assert f"{low:.1f} to {high:.1f}" in made.page()
    results = made.table(no_differences())
    text = f"(2 seeds) [{low:.0f}, {high:.0f}]"
    assert text in markdown(results, {"tiny": []}, {"tiny": ""}, PSCP.model_dump()) and text in latex(results)
    dots = plot_costs(results).data[-1]
    bars = dots.error_y
    assert [dots.y[0] - bars.arrayminus[0], dots.y[0] + bars.array[0]] == pytest.approx([low, high])


def test_cells_that_failed_or_were_not_run_are_said(seeds: str) -> None:
    page = Page(seeds)
    assert "OutOfMemoryError: no room for 2 GB" in page.words
    assert "cells: 20 done, 3 not run, 1 failed" in page.words
    assert "(1 seed, 1 failed)" in page.words and "—" in page.words


def test_cells_without_a_record_of_their_run_and_without_a_lr_search(seeds: str) -> None:
    words = Page(seeds).words
    assert "The cells hold no record of their run." in words
    assert "a grid with the key lr_search tries several" in words


def test_each_model_has_its_own_table_ranks_and_constants(seeds: str) -> None:
    page = Page(seeds)
    assert [attributes["data-pscp"] for attributes, _ in page.all("div") if "data-pscp" in attributes] == [
        "tiny",
        "small",
    ]
    assert sum(attributes.get("class") == "scores" for attributes, _ in page.all("table")) == 2


def test_nothing_is_done(tmp_path: Path) -> None:
    lost = dict.fromkeys(("base.tiny.moods.s0", "good.tiny.moods.s0", "poor.tiny.moods.s0"), FAILURE)
    page = Page(Made(tmp_path, SHARES, [labelled()], lost=lost).page())
    assert page.cells == [] and page.data["figures"] == {}
    assert "No method has a score and all costs in each of its cells." in page.words
    assert "no ranks" in page.words


# --- what travels in the page ---


def test_what_cells_share_travels_once() -> None:
    prompt = "a passage " * 100
    one = {
        "config": {"task": "t"},
        "predictions": [{"prompt": prompt, "references": ["x"], "prediction": "y"}],
        "items": 1,
    }
    many = {str(number): one for number in range(50)}
    assert unpacked(packed(many)) == many
    assert len(packed(many)) < 3 * len(packed({"0": one}))
    assert packed(many) == packed(many)


def test_a_grid_says_how_many_answers_of_a_cell_are_shown(tmp_path: Path) -> None:
    made = Made(tmp_path, SHARES, [labelled()])
    for most, shown in {0: 0, 3: 3, 20: 20}.items():
        page = Page(made.page(grid={"answers_shown": most}))
        assert {len(detail["predictions"]) for detail in page.details.values()} == {shown}


def test_a_page_without_answers_holds_no_prompt(project: Project) -> None:  # noqa: F811
    project.grid["answers_shown"] = 0
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 0, done.output
    page = Page((project.folder / "data/08_reporting/report.html").read_text(encoding="utf-8"))
    assert "line " not in str([page.details, page.data]) and "zero_shot" in str(page.details)
    for wrong in (-1, 21):
        project.grid["answers_shown"] = wrong
        assert "grid.yml, answers_shown" in project.kedro("run", "--pipelines=benchmark").output


# --- sentences ---


def test_a_title_names_few_and_counts_many() -> None:
    table = pd.DataFrame([{"method": name, "task": "moods"} for name in ("majority", *"abcdefgh")])
    assert facts.title(table) == "8 methods on moods"


@pytest.mark.parametrize(
    ("p", "tasks", "words"),
    [(0.001, 12, "the 3 methods differ by"), (0.5, 4, "do not differ significantly by Friedman's test, p = 0.5 (an")],
)
def test_ranks_in_words(p: float, tasks: int, words: str) -> None:
    test = {"p": p, "tasks": tasks, "methods": 3}
    entry = {"model": "m", "ranks": {}, "friedman": test, "critical_difference": 1.5, "left_out": ["d"], "cut_off": []}
    assert words in facts.rank_text(entry)
    assert facts.rank_text(entry).endswith("Without a score on each task: d.")
    assert facts.rank_text(entry | {"cut_off": ["a"]}).endswith(" so that its rank may be the limit's: a.")


def test_lr_searches_in_words() -> None:
    trials = [{"seconds": 10.0, "chosen": False}, {"seconds": 20.0, "chosen": True}]
    words = facts.lr_search_text({"one.m.t.s0": {"lr_search": trials}, "two.m.t.s0": {"lr_search": []}})
    assert "at 2 learning rates" in words and "took 30 s" in words and words.endswith("for: one.")


def test_provenance_names_what_differs_between_cells() -> None:
    def cell(run: str) -> dict[str, Any]:
        return {"config": {"provenance": {"run_id": run, "environment": {"python": "3.11", "code": {"commit": "c"}}}}}

    found = facts.provenance({"one": cell("r2"), "two": cell("r1"), "three": {"config": {"provenance": {}}}})
    assert found == {"runs": "r1 / r2", "python": "3.11", "code": "commit c"}


# --- published values ---


def published() -> PublishedSpec:
    row = {
        "citation": "Someone 2025",
        "model": "a model",
        "metrics": {"moods": "binary_f1", "sums": "number_accuracy"},
        "note": "A note.",
        "values": {"good": {"moods": 97.5}, "poor": {"moods": 50.0, "sums": 12.0}, "other": {"moods": 1.0}},
    }
    return parse(PublishedSpec, "published 'them'", row)


def test_published_values_stand_beside_ours_on_their_metric(tmp_path: Path) -> None:
    tasks = [labelled(metrics=["macro_f1", "binary_f1"]), free()]
    made = Made(tmp_path, SHARES, tasks)
    results = made.table(adjust_p_values(made.compared()))
    found = facts.published(results, published())
    ours = results.set_index(["method", "task"])
    assert found is not None
    assert found["heads"] == [{"task": "moods", "metric": "binary_f1"}, {"task": "sums", "metric": "number_accuracy"}]
    assert [line["method"] for line in found["lines"]] == ["good", "poor"]
    good, poor = (line["texts"] for line in found["lines"])
    assert good == [
        "97.5",
        f"{100 * ours.loc[('good', 'moods'), 'binary_f1']:.1f}",
        "—",
        f"{100 * ours.loc[('good', 'sums'), 'number_accuracy']:.1f}",
    ]
    assert poor[2] == "12.0"
    assert found["note"].endswith("In the table of scores above these tasks have another one: moods macro_f1.")


def test_a_metric_that_this_run_has_not_is_a_dash(tmp_path: Path) -> None:
    made = Made(tmp_path, SHARES, [labelled()])
    found = facts.published(made.table(adjust_p_values(made.compared())), published())
    assert found is not None and found["lines"][0]["texts"] == ["97.5", "—"]


def test_no_method_or_task_in_common_is_no_table(tmp_path: Path) -> None:
    made = Made(tmp_path, {"unheard": 0.5}, [labelled()])
    assert facts.published(made.table(adjust_p_values(made.compared())), published()) is None
    assert facts.published(pd.DataFrame(), None) is None


def test_the_projects_published_rows_are_of_metrics_that_its_tasks_have() -> None:
    parameters = PROJECT / "conf/base/parameters"
    rows = yaml.safe_load((parameters / "published.yml").read_text(encoding="utf-8"))["published"]
    tasks: dict[str, Any] = {}
    for file in (parameters / "tasks").glob("*.yml"):
        tasks |= yaml.safe_load(file.read_text(encoding="utf-8"))["tasks"]
    for name, row in rows.items():
        spec = parse(PublishedSpec, f"published '{name}'", row)
        assert {task for values in spec.values.values() for task in values} == spec.metrics.keys()
        assert all(metric in tasks[task]["metrics"] for task, metric in spec.metrics.items())


def test_a_grid_names_the_published_values_of_its_page(tmp_path: Path) -> None:
    row = published().model_dump(exclude={"name"})
    text = Made(tmp_path, SHARES, [labelled(), free()]).page(grid={"published": "them"}, published={"them": row})
    assert "Someone 2025, with a model. A note." in Page(text).words and 'href="#published"' in text


def test_the_key_published_of_a_grid_works_from_its_file_to_the_page(project: Project) -> None:  # noqa: F811
    project.task["metrics"] = ["accuracy", "binary_f1"]
    project.grid["published"] = "them"
    row = {"citation": "Someone 2025", "model": "-", "metrics": {"mood": "binary_f1"}, "note": "A note."}
    project.parameters["published"] = {"them": {**row, "values": {"zero_shot": {"mood": 97.5}}}}
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 0, done.output
    words = Page((project.folder / "data/08_reporting/report.html").read_text(encoding="utf-8")).words
    assert "Someone 2025" in words and "97.5" in words
    project.grid["published"] = "then"
    assert "grid.yml: unknown published 'then'" in project.kedro("run", "--pipelines=benchmark").output


# --- PSCP ---

CHEAP_OR_GOOD = [
    {"method": "cheap", "score": 70.0, "parameters": 1e3, "tflop": 1.0, "base_tflop": 1.0, "memory_gb": 1.0},
    {"method": "good", "score": 80.0, "parameters": 1e8, "tflop": 1.0, "base_tflop": 1.0, "memory_gb": 1.0},
]


def test_the_first_place_may_owe_itself_to_the_weights() -> None:
    assert (
        stability(CHEAP_OR_GOOD, PSCP.model_dump())
        == "Over 125 settings of PSCP's three weights from 0.25 to 4, first place: cheap in 75, good in 50."
    )
    weights = {beta: {**PSCP.model_dump(), "beta_p": beta} for beta in (0.5, 1.0)}
    cheap, good = CHEAP_OR_GOOD
    assert discounted(good, weights[0.5]) > discounted(cheap, weights[0.5])
    assert discounted(good, weights[1.0]) < discounted(cheap, weights[1.0])
    assert stability(CHEAP_OR_GOOD[:1], PSCP.model_dump()) == ""


def test_a_tie_for_the_first_place_is_said() -> None:
    cheap, good = CHEAP_OR_GOOD
    nothing = [{**row, "score": 0.0} for row in CHEAP_OR_GOOD]
    begin = "Over 125 settings of PSCP's three weights from 0.25 to 4, first place: "
    assert stability(nothing, PSCP.model_dump()) == f"{begin}a tie of cheap = good in 125."
    twin = {**cheap, "method": "twin", "score": cheap["score"] * (1 + 1e-15)}
    assert stability([cheap, good, twin], PSCP.model_dump()) == f"{begin}a tie of cheap = twin in 75, good in 50."
    assert first([cheap, good], PSCP.model_dump()) == ("cheap",)


def test_pscp_is_made_of_means_and_of_the_highest_peak(tmp_path: Path) -> None:
    made = Made(tmp_path, SHARES, [labelled(), free()], lost={"poor.tiny.sums.s0": None})
    table = made.table(adjust_p_values(made.compared()))
    found = inputs(table)
    assert [row["method"] for row in found] == ["base", "good"]
    own = table[table["method"] == "good"]
    assert found[1]["score"] == pytest.approx(100 * own["primary"].mean())
    assert (found[1]["parameters"], found[1]["memory_gb"]) == (15_000.0, 0.5)
