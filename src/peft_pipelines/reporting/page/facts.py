"""The page's sentences and small tables beside the scores."""

from collections.abc import Mapping
from math import log10
from typing import Any

import pandas as pd

from peft_pipelines.config import PublishedSpec
from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.statistics import ALPHA, FEWEST_SEEDS
from peft_pipelines.evaluation.statistics.resampling import RESAMPLES
from peft_pipelines.reporting.comparisons import OF_CHECKPOINTS
from peft_pipelines.reporting.listing import named
from peft_pipelines.reporting.scale import GUESSES
from peft_pipelines.reporting.table import MISSING
from peft_pipelines.reporting.warning_signs import CUT_OFF

METHODS = (
    f"With {FEWEST_SEEDS} seeds or more of each, a method's error has two parts: how its seeds differ, and which test "
    "examples were drawn. The test takes both, with Student's distribution for the few seeds, and a difference holds "
    "for other trainings of the methods."
)
DIFFERENCES = (
    "Each two methods are compared on the same test examples. {about} With fewer seeds the test is McNemar's exact one "
    "where the score is a share of independent examples and each method has one seed, elsewhere the paired bootstrap "
    f"({RESAMPLES:,} resamples; where none lies on the other side of 0, p is that of Student's t). Examples that share "
    "a passage or a question are drawn together. p-values are adjusted by Holm over the model's whole table, and what "
    f"shares a letter does not differ significantly at {ALPHA}. No method is called better than one whose answers were "
    f"cut off ({CUT_OFF}): it shares a letter with each that has a higher score. Each pair, with its interval and "
    "whether it speaks of methods or of checkpoints, stands in differences.csv."
)
SCALES = {"c_p": ("C_p, parameters", 6, 11), "c_f": ("C_F, TFLOP", -1, 3), "c_m": ("C_M, GB", -1, 3)}
WEIGHTS = {"beta_p": "β_p", "beta_f": "β_F", "beta_m": "β_M"}


def differences_text(methods: bool) -> str:
    """What the tests say: whether of methods, or of checkpoints alone, where too few seeds were trained.

    >>> "between these checkpoints" in differences_text(False), "between these checkpoints" in differences_text(True)
    (True, False)
    """
    return DIFFERENCES.format(about=METHODS if methods else f"{OF_CHECKPOINTS} {METHODS}")


def title(results: pd.DataFrame) -> str:
    """Title of the page: methods and tasks, by name while there are few, else their number.

    >>> title(pd.DataFrame([{"method": "one", "task": "moods"}, {"method": "two", "task": "moods"}]))
    'one and two on moods'
    """
    methods = [str(name) for name in results["method"].unique() if name not in GUESSES]
    return f"{named(methods, 'methods')} on {named([str(name) for name in results['task'].unique()], 'tasks')}"


def made(results: pd.DataFrame) -> str:
    """Models, seeds and the states of cells of a run."""
    tuned = results[~results["method"].isin(GUESSES)]
    counts = tuned["status"].value_counts()
    cells = ", ".join(f"{count} {status}" for status, count in counts.items())
    axes = [f"{axis}: {', '.join(tuned[axis].unique())}" for axis in ("model", "seed")]
    return f"{'; '.join(axes)}; cells: {cells}."


def sliders(constants: Mapping[str, float]) -> list[dict[str, Any]]:
    """The six constants; scales move by powers of ten, which are what the slider holds."""
    scales = [
        {"name": name, "label": label, "low": low, "high": high, "value": log10(constants[name]), "log": True}
        for name, (label, low, high) in SCALES.items()
    ]
    weights = [
        {"name": name, "label": label, "low": 0, "high": 4, "value": constants[name], "log": False}
        for name, label in WEIGHTS.items()
    ]
    return scales + weights


def rank_text(entry: Mapping[str, Any]) -> str:
    """Friedman's test of one model's methods in words."""
    left_out = f" Without a score on each task: {', '.join(entry['left_out'])}." if entry["left_out"] else ""
    if "ranks" not in entry:
        return f"Fewer than three methods have scores on each of two tasks: no ranks.{left_out}"
    test = entry["friedman"]
    verdict = "differ" if test["p"] < ALPHA else "do not differ significantly"
    rough = " (an approximation that is rough below ten tasks)" if test["tasks"] < 10 else ""  # noqa: PLR2004
    cut = (
        f" Answers cut off, so that its rank may be the limit's: {', '.join(entry['cut_off'])}."
        if entry["cut_off"]
        else ""
    )
    return (
        f"Over {test['tasks']} tasks the {test['methods']} methods {verdict} by Friedman's test, p = {test['p']:.3g}"
        f"{rough}. Two average ranks must differ by {entry['critical_difference']:.2f} to be significant by "
        f"Nemenyi's test at {ALPHA}.{left_out}{cut}"
    )


def lr_search_text(details: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence on the learning-rate search, or that there was none."""
    trials = {name: detail["lr_search"] for name, detail in details.items() if len(detail["lr_search"]) > 1}
    if not trials:
        return "Each method was trained at its row's own learning rate; a grid with the key lr_search tries several."
    at_end = [name for name, lr_search in trials.items() if lr_search[0]["chosen"] or lr_search[-1]["chosen"]]
    edge = sorted({name.split(".")[0] for name in at_end})
    seconds = sum(trial["seconds"] for lr_search in trials.values() for trial in lr_search)
    count = max(len(lr_search) for lr_search in trials.values())
    text = (
        f"Each method was trained at {count} learning rates on the same tokens; the lowest validation loss chose one. "
        f"All trials together took {seconds:,.0f} s."
    )
    return text + (
        f" The chosen rate stands at an end of the learning-rate search for: {', '.join(edge)}." if edge else ""
    )


def published(results: pd.DataFrame, spec: PublishedSpec | None) -> dict[str, Any] | None:
    """Values of others beside ours: on their metric where the run has it, else a dash; our own metric is named."""
    if spec is None:
        return None
    tasks = [task for task in results["task"].unique() if task in spec.metrics]
    lines = [
        {
            "method": f"{method}, {model}" if results["model"].nunique() > 1 else method,
            "texts": [text for task in tasks for text in _beside(rows[rows["task"] == task], spec, method, task)],
        }
        for method in spec.values
        for model, rows in results[results["method"] == method].groupby("model", sort=False)
    ]
    others = {task: _other_metric(results[results["task"] == task], spec.metrics[task]) for task in tasks}
    differing = ", ".join(f"{task} {own}" for task, own in others.items() if own)
    note = f"{spec.citation}, with {spec.model}. {spec.note} Both columns are of the metric named, shares in percent."
    note += f" In the table of scores above these tasks have another one: {differing}." if differing else ""
    heads = [{"task": task, "metric": spec.metrics[task]} for task in tasks]
    return {"note": note, "heads": heads, "lines": lines} if lines and tasks else None


def _beside(rows: pd.DataFrame, spec: PublishedSpec, method: str, task: str) -> tuple[str, str]:
    """Their number and ours."""
    theirs, metric = spec.values[method].get(task), spec.metrics[task]
    unit, ours = quantity(metric).unit, rows[metric].mean() if metric in rows else float("nan")
    return MISSING if theirs is None else unit.write(theirs), MISSING if pd.isna(ours) else unit.text(ours)


def _other_metric(rows: pd.DataFrame, metric: str) -> str:
    """The metric that stands for a task here, where it is not that one."""
    own = str(rows["metric"].iloc[0])
    return "" if own == metric else own


def provenance(details: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Origin of the numbers: runs, code, libraries, machines; values that differ between cells stand side by side."""
    found: dict[str, set[str]] = {}
    for detail in details.values():
        record = detail["config"]["provenance"]
        if not record:
            continue
        environment = record["environment"]
        found.setdefault("runs", set()).add(record["run_id"])
        for name, value in environment.items():
            text = ", ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else str(value)
            found.setdefault(name, set()).add(text)
    return {name: " / ".join(sorted(values)) for name, values in found.items()}
