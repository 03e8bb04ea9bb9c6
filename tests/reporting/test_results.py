import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from pandas.testing import assert_frame_equal

from peft_pipelines.config import Grid, PscpSpec, TaskSpec, parse
from peft_pipelines.files.markdown import render
from peft_pipelines.pipelines.grid import pipelines_of
from peft_pipelines.pipelines.report.pipeline import create_pipeline
from peft_pipelines.reporting.collect import collect
from peft_pipelines.reporting.pareto import plot_costs
from peft_pipelines.reporting.plots import plot
from peft_pipelines.reporting.pscp_ranking import inputs
from peft_pipelines.reporting.results import frame, majority, tabulate, write_table
from peft_pipelines.reporting.table import PEAKS
from peft_pipelines.storage.artifact import Artifact

PROJECT = Path(__file__).parents[2]
PARAMETERS = PROJECT / "conf/base/parameters"

MODEL = {
    "folder": "somewhere",
    "dtype": "float32",
    "chat_template": True,
    "licence": "none",
    "citation": "none",
    "notes": "not the published weights",
}
COST = {
    "trainable_parameters": 460800,
    "tflop": 0.138,
    "base_tflop": 0.138,
    "added_gflop": 0.5,
    "train_peak_memory_gb": 0.6,
    "generate_peak_memory_gb": 0.7,
    "memory_kind": "resident set above the loaded base",
    "train_seconds": 61.25,
    "generate_seconds": 4.5,
    "checkpoint_bytes": 1859871,
    "pscp": 89.2,
    "pscp_factor_parameters": 0.9991,
    "pscp_factor_compute": 1.0,
    "pscp_factor_memory": 0.9936,
    "truncated_share": 0.0,
    "n": 80.0,
}


def labelled(primary: float, no: float, yes: float, **more: Any) -> dict[str, Any]:
    """Scores on a task with two labels; ``no`` and ``yes`` are how often each was answered."""
    confusion = {"confusion.no.no": no, "confusion.no.yes": yes, "confusion.yes.no": 0.0, "confusion.yes.yes": 0.0}
    support = {"support.no": 40.0, "support.yes": 40.0}
    return {"metric": "macro_f1", "primary": primary, "invalid_rate": 0.0, "n": 80.0, **support, **confusion, **more}


def free(primary: float, **more: Any) -> dict[str, Any]:
    """Scores on a task of free text."""
    return {"metric": "number_accuracy", "primary": primary, "n": 80.0, **more}


def method(family: str) -> dict[str, Any]:
    return {
        "provider": "none",
        "type": "none",
        "family": family,
        "config": {},
        "training": {},
        "citation": "none",
    }


FAILURE = {"cell": "broken.tiny.sums.s0", "node": "train", "type": "OutOfMemoryError", "reason": "no room for 2 GB"}


def rows(**cells: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Cells, collected, by ``model.task.seed``: numbers, a failure's record, None for one that was not run."""
    return collect(**cells)


def differences(*like_majority: tuple[str, str]) -> pd.DataFrame:
    """Comparisons that tell no method but those named, by task, from the majority answer."""
    columns = ["model", "task", "first", "second", "p_holm", "detectable"]
    return pd.DataFrame([("tiny", task, name, "majority", 0.8, 0.1) for task, name in like_majority], columns=columns)


def table(parts: dict[str, Any], *like_majority: tuple[str, str]) -> pd.DataFrame:
    """The frame of some cells, on tasks none of whose test inputs stands in training."""
    tasks = {row["task"] for row in parts["rows.majority"]}
    data = [{"task": task, "test = train": 0} for task in tasks]
    found, for_csv = tabulate(differences(*like_majority), data, **parts)
    assert for_csv is found
    return found


def bounds(low: float, high: float) -> dict[str, float]:
    return {"primary_low": low, "primary_high": high}


MAJORITY = rows(
    **{"tiny.moods.-": labelled(1 / 3, 0, 80, **bounds(0.3, 0.37)), "tiny.sums.-": free(0.0125, **bounds(0, 0.07))}
)
RANDOM = rows(**{"tiny.moods.-": labelled(0.5, 40, 40), "tiny.sums.-": {"metric": "number_accuracy"}})
UNTRAINED = COST | {"trainable_parameters": 0, "train_seconds": 0.0, "checkpoint_bytes": 0}
ONE_SEED = {
    "rows.majority": MAJORITY,
    "rows.random": RANDOM,
    "rows.tuned": rows(
        **{
            "tiny.moods.s0": labelled(0.9, 39, 41, **COST, **bounds(0.82, 0.96)),
            "tiny.sums.s0": free(0.125, **COST, equation_accuracy=0.5, **bounds(0.06, 0.22)),
        }
    ),
    "rows.broken": rows(**{"tiny.moods.s0": labelled(0.5, 40, 40, **COST), "tiny.sums.s0": FAILURE}),
    "rows.untuned": rows(
        **{
            "tiny.moods.s0": labelled(1 / 3, 0, 75, **UNTRAINED, **{"invalid_rate": 0.0625}),
            "tiny.sums.s0": free(0.05, **UNTRAINED | {"truncated_share": 0.02}),
        }
    ),
    "spec.tuned": method("adapter"),
    "spec.broken": method("selective"),
    "spec.untuned": method("baseline"),
}
ALIKE = ("moods", "untuned")
TABLE = """\
### tiny

Each task's primary metric in percent and the mean over tasks. In brackets: the 95 % interval over other test examples.
Test examples: moods 80, sums 80.

| method   |    moods macro_f1 | sums number_accuracy | mean |
|:---------|------------------:|---------------------:|-----:|
| majority | 33.3 [30, 37]     |         1.2 [0, 7]   | 17.3 |
| random   |          50.0     |                  —   |    — |
| untuned  |          33.3 !?≈ |                5.0 † | 19.2 |
| tuned    | 90.0 [82, 96]     |       12.5 [6, 22]   | 51.2 |
| broken   |          50.0     |             failed   |    — |

! predicts one class only; ? more than 5% of the answers are invalid; ≈ not significantly different from always giving
the most frequent answer; † more than 1% of a split's examples lost text to the length limit

* failed: broken · tiny · sums · s0: OutOfMemoryError: no room for 2 GB

| method  |  params |  TFLOP | +GFLOP | train GB | gen GB | train s | gen s |   MB | PSCP |    f_p |    f_F |    f_M |
|:--------|--------:|-------:|-------:|---------:|-------:|--------:|------:|-----:|-----:|-------:|-------:|-------:|
| untuned |       0 | 0.1380 |  0.500 |     0.60 |   0.70 |     0.0 |   4.5 | 0.00 | 89.2 | 0.9991 | 1.0000 | 0.9936 |
| tuned   | 460,800 | 0.1380 |  0.500 |     0.60 |   0.70 |    61.2 |   4.5 | 1.86 | 89.2 | 0.9991 | 1.0000 | 0.9936 |
| broken  |       — |      — |      — |        — |      — |       — |     — |    — |    — |      — |      — |      — |

Costs of a cell, the mean over tasks and seeds. params: trainable parameters. TFLOP, +GFLOP: one forward of 1 x 512
tokens, whole and beyond the base model's. train GB, gen GB: highest memory peak of training and of answering, resident
set above the loaded base. train s, gen s: wall seconds. MB: checkpoint on disk. PSCP: a cell's score x f_p x f_F x f_M,
the factors for parameters, compute beyond the base's, and memory of training.

Over 125 settings of PSCP's three weights from 0.25 to 4, first place: tuned in 125.

tiny: not the published weights.
"""


PSCP = PscpSpec(c_p=5e8, c_f=10.0, c_m=94.0, beta_p=1.0, beta_f=1.0, beta_m=1.0)


def markdown_of(results: pd.DataFrame, **models: dict[str, Any]) -> str:
    """The table of results under the usual constants."""
    return write_table(results, PSCP, **{f"model.{name}": row for name, row in models.items()})


def section(text: str, first: str) -> str:
    return next(part for part in text.split("\n\n") if part.startswith(first))


def test_table_of_one_seed() -> None:
    assert markdown_of(table(ONE_SEED, ALIKE), tiny=MODEL) == TABLE
    assert max(map(len, TABLE.splitlines())) <= 120


def test_frame_holds_every_cell_unrounded_and_in_order() -> None:
    results = table(ONE_SEED)
    assert list(results.columns[:9]) == [
        *("model", "task", "method", "seed", "status", "reason", "metric", "primary", "family"),
    ]
    assert list(results["method"].unique()) == ["majority", "random", "untuned", "tuned", "broken"]
    assert results["primary"].iloc[0] == 1 / 3
    assert results["predicted_classes"].iloc[0] == 1
    lost = results.iloc[-1]
    assert (lost["status"], lost["reason"]) == ("failed", "OutOfMemoryError: no room for 2 GB")
    assert (lost["task"], lost["metric"]) == ("sums", "number_accuracy")
    assert pd.isna(lost["primary"])


def test_two_seeds_are_a_mean_with_its_spread_and_n() -> None:
    parts = {
        "rows.majority": MAJORITY,
        "rows.tuned": rows(
            **{
                "tiny.moods.s0": labelled(0.9, 39, 41, **COST),
                "tiny.moods.s1": labelled(0.92, 0, 80, **COST | {"train_peak_memory_gb": 0.8}),
                "tiny.sums.s0": free(0.0, **COST),
                "tiny.sums.s1": free(0.02, **COST),
            }
        ),
        "rows.broken": rows(
            **{
                "tiny.moods.s0": labelled(0.5, 40, 40, **COST),
                "tiny.moods.s1": FAILURE,
                "tiny.sums.s0": FAILURE,
                "tiny.sums.s1": None,
            }
        ),
        "spec.tuned": method("adapter"),
        "spec.broken": method("adapter"),
    }
    text = markdown_of(table(parts, ("sums", "tuned")), tiny=MODEL)
    assert (
        section(text, "| method")
        == """\
| method   |            moods macro_f1 |  sums number_accuracy |                 mean |
|:---------|--------------------------:|----------------------:|---------------------:|
| majority |           33.3 [30, 37]   |          1.2 [0, 7]   |                 17.3 |
| tuned    |    91.0 ± 1.4 (2 seeds) ! | 1.0 ± 1.4 (2 seeds) ≈ | 46.0 ± 1.4 (2 seeds) |
| broken   | 50.0 (1 seed, 1 failed)   |              failed   |                    — |"""
    )
    assert "over other training seeds and other test examples" in " ".join(text.split())
    assert "| tuned  | 460,800 | 0.1380 |  0.500 |     0.80 |   0.70 |" in text


def test_costs_that_an_earlier_release_measured_otherwise_are_not_known() -> None:
    """One peak for both steps: no column says which, and its compute is without attention."""
    earlier = {name: value for name, value in COST.items() if name not in ("added_gflop", *PEAKS)}
    old = labelled(0.9, 39, 41, **earlier, peak_memory_gb=0.7, pscp_absolute=88.0)
    parts = {
        "rows.majority": MAJORITY,
        "rows.old": rows(**{"tiny.moods.s0": old, "tiny.sums.s0": free(0.1, **COST)}),
        "rows.new": rows(**{"tiny.moods.s0": labelled(0.9, 39, 41, **COST), "tiny.sums.s0": free(0.1, **COST)}),
        "spec.old": method("adapter"),
        "spec.new": method("adapter"),
    }
    found = table(parts)
    cell = (found["method"] == "old") & (found["task"] == "moods")
    assert found.loc[cell, ["trainable_parameters", "train_seconds", "primary"]].notna().all(axis=None)
    assert "| old    | 460,800 |      — |      — |        — |      — |    61.2 |" in markdown_of(found, tiny=MODEL)
    unknown = [name for name in found.columns if "tflop" in name or "pscp" in name or "memory" in name]
    assert found.loc[cell, unknown].isna().all(axis=None)
    assert [row["method"] for row in inputs(found)] == ["new"]


def test_a_table_without_marks_has_no_legend() -> None:
    parts = {
        "rows.majority": MAJORITY,
        "rows.tuned": ONE_SEED["rows.tuned"],
        "spec.tuned": method("adapter"),
    }
    text = markdown_of(table(parts), tiny=MODEL | {"notes": ""})
    assert not any(line.startswith(("!", "?", "≈", "†", "tiny:")) for line in text.splitlines())


def test_each_model_has_its_own_section_and_note() -> None:
    names = ("tiny.moods", "small.moods")
    parts = {
        "rows.majority": rows(**{f"{name}.-": labelled(1 / 3, 0, 80) for name in names}),
        "rows.tuned": rows(
            **{f"{name}.s0": labelled(score, 40, 40, **COST) for name, score in zip(names, (0.4, 0.6), strict=True)}
        ),
        "spec.tuned": method("adapter"),
    }
    results = table(parts)
    assert list(results["model"]) == ["tiny", "tiny", "small", "small"]
    text = markdown_of(results, tiny=MODEL, small=MODEL | {"notes": "as published"})
    assert [line for line in text.splitlines() if line.startswith(("###", "tiny:", "small:", "| tuned    |"))] == [
        "### tiny",
        "| tuned    |           40.0 | 40.0 |",
        "tiny: not the published weights.",
        "### small",
        "| tuned    |           60.0 | 60.0 |",
        "small: as published.",
    ]


def test_all_cells_failed() -> None:
    parts = {
        "rows.majority": MAJORITY,
        "rows.tuned": rows(**{"tiny.moods.s0": FAILURE, "tiny.sums.s0": FAILURE}),
        "spec.tuned": method("adapter"),
    }
    results = table(parts)
    assert "| tuned    |         failed |               failed |    — |" in markdown_of(results, tiny=MODEL)
    assert plot_costs(results).layout.xaxis.title.text == "trainable parameters (failed: tuned)"


def test_a_cell_that_was_not_run_has_not_failed() -> None:
    parts = {
        "rows.majority": MAJORITY,
        "rows.tuned": rows(
            **{
                "tiny.moods.s0": labelled(0.5, 40, 40, **COST),
                "tiny.moods.s1": None,
                "tiny.sums.s0": None,
                "tiny.sums.s1": None,
            }
        ),
        "spec.tuned": method("adapter"),
    }
    results = table(parts)
    assert list(results["status"][results["method"] == "tuned"]) == ["done", "not run", "not run", "not run"]
    assert results["reason"].isna().all()
    text = markdown_of(results, tiny=MODEL)
    assert "| tuned    | 50.0 (1 seed, 1 not run) |                    — |    — |" in text
    assert "failed" not in text
    assert [text for trace in plot(results).data if trace.mode == "text" for text in trace.text] == ["—", "—", "—"]
    assert plot_costs(results).layout.xaxis.title.text == "trainable parameters (not run: tuned)"


def test_numbers_tell_that_a_cell_is_done_whatever_lies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "failure.json").write_text(json.dumps(FAILURE), encoding="utf-8")
    metrics = Artifact(filepath=str(tmp_path / "metrics.json"), optional=True, otherwise="failure.json")
    assert metrics.load() == FAILURE and not metrics.exists()
    metrics.save({"primary": 0.5})
    assert [(row["status"], row["reason"]) for row in collect(**{"tiny.sums.s0": metrics.load()})] == [("done", None)]


def test_wide_tables_go_on_beneath() -> None:
    columns = {"method": ["a"], "first": ["1.0"], "second": ["2.0"], "third": ["3.0"]}
    assert (
        render(columns, width=30)
        == """\
| method | first | second |
|:-------|------:|-------:|
| a      |   1.0 |    2.0 |

| method | third |
|:-------|------:|
| a      |   3.0 |"""
    )


def test_dtypes_survive_parquet(tmp_path: Path) -> None:
    results = table(ONE_SEED)
    assert {str(kind) for kind in results.dtypes} == {"string", "float64"}
    results.to_parquet(tmp_path / "results.parquet", index=False)
    assert_frame_equal(pd.read_parquet(tmp_path / "results.parquet"), results)


def test_a_column_of_numbers_and_texts_becomes_text() -> None:
    mixed = frame([{"model": "a", "extra": 1}, {"model": "b", "extra": "one"}])
    assert list(mixed["extra"]) == ["1", "one"]


def test_plot_has_dots_for_cells_words_for_failures_a_majority_line() -> None:
    figure = plot(table(ONE_SEED))
    dots = [(trace.y, trace.x) for trace in figure.data if trace.mode == "markers" and trace.error_x.array is None]
    assert [list(names) for names, _ in dots] == [
        ["majority", "random", "untuned", "tuned", "broken"],
        ["majority", "untuned", "tuned"],
    ]
    assert list(dots[1][1]) == [1.25, 5.0, 12.5]
    words = [(list(trace.y), list(trace.text)) for trace in figure.data if trace.mode == "text"]
    assert words == [([], []), (["random", "broken"], ["—", "failed"])]
    assert [line.x0 for line in figure.layout.shapes] == pytest.approx([100 / 3, 1.25])


def test_cost_plot_draws_what_trains_as_points_and_the_rest_as_lines() -> None:
    figure = plot_costs(table(ONE_SEED))
    front, dots = figure.data
    assert (list(dots.x), list(dots.text)) == ([460800.0], ["tuned"])
    assert list(dots.error_y.arrayminus) == pytest.approx([100 * (0.08**2 + 0.065**2) ** 0.5 / 2])
    assert list(dots.error_y.array) == pytest.approx([100 * (0.06**2 + 0.095**2) ** 0.5 / 2])
    assert (front.mode, list(front.x)) == ("lines", [460800.0])
    assert [line.y0 for line in figure.layout.shapes] == pytest.approx(
        [100 * (1 / 3 + 0.0125) / 2, 100 * (1 / 3 + 0.05) / 2]
    )
    (note,) = figure.layout.annotations  # the two lines are 2 points apart: one text for both
    assert note.text == "untuned<br>majority"  # the higher line's name stands above the other


COMMON = {"model": "tiny", "task": "moods", "metric": "accuracy", "seed": "s0", "status": "done"}


def costly(*points: tuple[str, float, float]) -> pd.DataFrame:
    """A frame of one task in which each method has a score and a number of parameters."""
    cells = [
        {"method": name, "primary": score, "trainable_parameters": cost, "mean_low": score, "mean_high": score}
        for name, cost, score in points
    ]
    return pd.DataFrame([{**COMMON, **cell} for cell in cells])


def test_the_line_joins_what_nothing_else_beats_in_score_and_cost() -> None:
    front, _ = plot_costs(costly(("a", 100, 0.5), ("b", 200, 0.4), ("c", 300, 0.7), ("d", 400, 0.6))).data
    assert (list(front.x), list(front.y)) == ([100, 300], [50, 70])


def test_the_bar_of_a_mean_over_seeds_is_no_shorter_they_share_examples() -> None:
    one = costly(("a", 100, 0.5)).assign(mean_low=0.3, mean_high=0.6)
    two = pd.concat([one, one.assign(seed="s1")])
    for rows in (one, two):
        bars = plot_costs(rows).data[1].error_y
        assert (list(bars.arrayminus), list(bars.array)) == (pytest.approx([20.0]), pytest.approx([10.0]))


def test_bars_are_the_intervals_of_the_table_as_lopsided_as_they_are() -> None:
    """No answer of a few is right: the interval goes from 0 upwards, and so does the bar."""
    one = costly(("a", 100, 0.0)).assign(mean_low=0.0, mean_high=0.6)
    bar = plot_costs(one).data[1].error_y
    assert (list(bar.arrayminus), list(bar.array), bar.symmetric) == ([0.0], [60.0], False)
    both = pd.concat([one, costly(("a", 100, 0.5)).assign(task="sums", mean_low=0.2, mean_high=0.58)])
    bar = plot_costs(both).data[1].error_y
    assert list(bar.arrayminus) == pytest.approx([100 * 0.3 / 2])
    assert list(bar.array) == pytest.approx([100 * (0.6**2 + 0.08**2) ** 0.5 / 2])


def test_names_of_points_that_lie_close_do_not_overlap() -> None:
    close = costly(*[(f"method_{place}", 1000 * 1.02**place, 0.5 + 0.001 * place) for place in range(3)])
    sides = plot_costs(close).data[1].textposition
    assert len(set(sides)) == 3


def test_the_axis_of_costs_has_few_ticks_over_many_powers_of_ten() -> None:
    near, far = (plot_costs(costly(("a", 1e3, 0.5), ("b", cost, 0.4))).layout.xaxis for cost in (3e4, 1e9))
    assert 2000.0 in near.tickvals and 5000.0 in near.tickvals
    assert 2000.0 not in far.tickvals and 1e6 in far.tickvals


def test_a_panel_reaches_as_far_below_zero_as_its_bars() -> None:
    below = table(ONE_SEED).assign(metric="mcc")
    below.loc[below["method"] == "tuned", "mean_low"] = -0.31
    axis = plot(below).layout.xaxis
    assert list(axis.range) == [-54, 104] and list(axis.tickvals) == [-50, -25, 0, 25, 50, 75, 100]
    assert list(plot(table(ONE_SEED)).layout.xaxis.range) == [-4, 104]


def test_scores_have_their_intervals_as_bars() -> None:
    bars = [trace for trace in plot(table(ONE_SEED)).data if trace.error_x.array is not None]
    tuned = list(bars[1].y).index("tuned")
    assert bars[1].error_x.array[tuned] == pytest.approx(9.5)
    assert bars[1].error_x.arrayminus[tuned] == pytest.approx(6.5)


def test_majority_answers_as_the_training_rows_do() -> None:
    rows = yaml.safe_load((PARAMETERS / "tasks/glue.yml").read_text(encoding="utf-8"))["tasks"]
    task = parse(TaskSpec, "task", next(iter(rows.values())))
    bad, good = task.label_words
    table = [
        pa.Table.from_pylist([{"prompt": "p", "references": [word]} for word in words])
        for words in ([good, good, bad], [bad, good, bad, bad])
    ]
    scores = majority({"train": table[0], "test": table[1]}, task)
    assert (scores["answer"], scores["accuracy"], scores["macro_f1"]) == (good, 0.25, 0.2)


def test_boxes_take_prompts_and_give_results() -> None:
    pipeline = create_pipeline(Grid(methods=["one", "two"], models=["tiny"], tasks=["moods", "sums"], seeds=["s0"]))
    free_inputs = {name for name in pipeline.inputs() if not name.startswith("params:")}
    assert free_inputs == {
        *("moods_prompts", "sums_prompts", "data_report", "failed_parts"),
        *(
            f"{method}.tiny-{task}-s0-{artifact}"
            for method in ("one", "two")
            for task in ("moods", "sums")
            for artifact in ("metrics", "predictions", "checkpoint")
        ),
    }
    whole = pipelines_of(Grid(methods=["one", "two"], models=["tiny"], tasks=["moods"], seeds=["s0"]))["benchmark"]
    assert {name for name in whole.inputs() if not name.startswith("params:")} == {
        *("moods_raw", "tiny_weights", "failed_parts"),
    }
    tables = {"results_csv", "results_table", "results_latex", "report_page"}
    assert pipeline.outputs() == tables | {f"{name}_plot" for name in ("score", "cost", "rank", "curve", "lr_search")}


GRID = Grid(methods=["tuned"], models=["tiny"], tasks=["moods"], seeds=["s0", "s1", "s2"])
MOODS = {
    "name": "moods",
    "type": "sentiment classification",
    "splits": {"train": "train", "test": "test"},
    "instruction": "Good or bad?",
    "input": "{text}",
    "label": "label",
    "labels": {0: "no", 1: "yes"},
    "metrics": ["macro_f1"],
    "max_new_tokens": 2,
    "licence": "none",
    "citation": "none",
}


def project_catalog(store: Path) -> DataCatalog:
    """The project's own catalog on another store."""
    where = {"store": str(store)}
    loader = OmegaConfigLoader(str(PROJECT / "conf"), runtime_params=where, base_env="base", default_run_env="local")
    return DataCatalog.from_config(loader["catalog"], save_version="2026-01-01T00.00.00.000Z")


def report_of(store: Path) -> str:
    """The table that pipeline ``report`` makes of what lies in a store, in a process that knows nothing before."""
    shutil.rmtree(store / "08_reporting", ignore_errors=True)
    catalog = project_catalog(store)
    catalog["params:methods.tuned"] = method("adapter")
    catalog["params:models.tiny"] = MODEL
    catalog["params:grid"] = GRID.model_dump()
    catalog["params:published"] = {}
    constants = yaml.safe_load((PARAMETERS / "training.yml").read_text(encoding="utf-8"))["pscp"]
    catalog["params:pscp"] = parse(PscpSpec, "pscp", constants)
    catalog["params:tasks.moods"] = parse(TaskSpec, "task 'moods'", MOODS)
    SequentialRunner().run(pipelines_of(GRID)["report"], catalog)
    return (store / "08_reporting/results.md").read_text(encoding="utf-8")


def test_report_reads_the_cells_as_they_lie_on_disk(tmp_path: Path) -> None:
    words = pa.Table.from_pylist([{"prompt": "p", "references": [word]} for word in ("no", "yes", "yes")])
    catalog, cells = project_catalog(tmp_path), "07_model_output/tiny/moods/tuned"
    catalog.save("moods_prompts", {"train": words, "validation": words, "test": words})
    catalog.save("tuned.tiny-moods-s0-metrics", labelled(0.25, 40, 40, **COST))
    (tmp_path / cells / "s1").mkdir()
    (tmp_path / cells / "s1/failure.json").write_text(json.dumps(FAILURE), encoding="utf-8")
    text = report_of(tmp_path)
    assert "| tuned    | 25.0 (1 seed, 1 failed, 1 not run) ≈ |    — |" in text
    assert "\n\n* failed: tuned · tiny · moods · s1: OutOfMemoryError: no room for 2 GB\n\n" in text
    for seed, score in {"s0": 0.75, "s1": 0.5, "s2": 1.0}.items():
        catalog.save(f"tuned.tiny-moods-{seed}-metrics", labelled(score, 40, 40, **COST))
    text = report_of(tmp_path)
    assert "| tuned    | 75.0 ± 25.0 (3 seeds) | 75.0 ± 25.0 (3 seeds) |" in text
    assert "failed" not in text


def test_a_methods_tag_takes_its_cells_and_their_collection() -> None:
    grid = Grid(methods=["one", "two"], models=["tiny"], tasks=["moods"], seeds=["s0"])
    pipelines = pipelines_of(grid)
    assert sorted(node.name for node in pipelines["benchmark"].only_nodes_with_tags("one").nodes) == [
        *("one.collect", "one.details"),
        *(f"one.tiny-moods-s0-{step}" for step in ("construct", "generate", "score", "train")),
    ]
    assert {"one.collect", "two.collect", "one.details"} <= {node.name for node in pipelines["report"].nodes}
