"""The result table as text: Markdown, padded so that it reads as well in a terminal as rendered."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.evaluation.metrics.unit import PERCENT, Unit
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.markdown import bullets, heading, paragraph, render
from peft_pipelines.files.status import Status
from peft_pipelines.reporting.pscp_ranking import inputs, stability
from peft_pipelines.reporting.scale import GUESSES, Scale, arrow, by_model, common, exceptions, points, several_seeds
from peft_pipelines.reporting.warning_signs import LEAK, MARKS, together

MISSING = "—"
CAPTION = "Each task's primary metric in percent and the mean over tasks. In brackets: the 95 % interval over {}."
ONE_SEED = "other test examples"
SEVERAL_SEEDS = f"other training seeds and {ONE_SEED} (of one seed: over {ONE_SEED}); ±: the deviation over seeds"

Columns = dict[str, list[str]]

# column of the frame: its header and how its number is written
COSTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "trainable_parameters": ("params", "{:,.0f}".format),
    "tflop": ("TFLOP", "{:.4f}".format),
    "added_gflop": ("+GFLOP", "{:,.3f}".format),
    "train_peak_memory_gb": ("train GB", "{:.2f}".format),
    "generate_peak_memory_gb": ("gen GB", "{:.2f}".format),
    "train_seconds": ("train s", "{:.1f}".format),
    "generate_seconds": ("gen s", "{:.1f}".format),
    "checkpoint_bytes": ("MB", lambda size: f"{size / 1e6:.2f}"),
    "pscp": ("PSCP", "{:.1f}".format),
    "pscp_factor_parameters": ("f_p", "{:.4f}".format),
    "pscp_factor_compute": ("f_F", "{:.4f}".format),
    "pscp_factor_memory": ("f_M", "{:.4f}".format),
}
PEAKS = ("train_peak_memory_gb", "generate_peak_memory_gb")


def markdown(
    results: pd.DataFrame,
    summary: Mapping[str, Sequence[str]],
    notes: Mapping[str, str],
    constants: Mapping[str, float],
) -> str:
    """For each model its summary, the scores with their signs, the costs, how steady PSCP's order is, and its note.

    Each model is an attempt of its own.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        summary: sentences by model.
        notes: a sentence by model, or an empty text.
        constants: PSCP's six.
    """
    sections: list[str] = []
    for name, rows in by_model(results).items():
        with attempt(name):
            sections.append(_section(name, rows, summary.get(name, ()), notes[name], constants))
    return "\n".join(sections)


def _section(model: str, rows: pd.DataFrame, summary: Sequence[str], note: str, constants: Mapping[str, float]) -> str:
    signs = set(together([*rows["marks"].dropna(), LEAK if rows["leaked"].any() else ""]))
    tests = rows.groupby("task", sort=False)["n"].max()
    sized = ", ".join(f"{task} {n:.0f}" for task, n in tests.dropna().items())
    caption = CAPTION.format(SEVERAL_SEEDS if several_seeds(rows) else ONE_SEED)
    parts = [
        heading(3, model),
        bullets(summary),
        paragraph(" ".join(text for text in (caption, exceptions(rows), f"Test examples: {sized}.") if text)),
        render(scores(rows)),
        paragraph("; ".join(f"{sign} {text}" for sign, text in MARKS.items() if sign in signs)),
        bullets(failures(rows)),
        render(costs(rows)),
        paragraph(_costs_caption(rows)),
        paragraph(stability(inputs(rows), constants)),
        paragraph(note and f"{model}: {note}."),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def scores(rows: pd.DataFrame) -> Columns:
    """Methods down, tasks across: scores with the interval, of several seeds the mean ± the deviation."""
    methods, scale = list(rows["method"].unique()), common(rows)
    columns: Columns = {"method": methods}
    for (task, metric), cells in rows.groupby(["task", "metric"], sort=False):
        groups = [cells[cells["method"] == method] for method in methods]
        signs = [together(group["marks"].dropna()) for group in groups]
        width = max(len(sign) + 1 if sign else 0 for sign in signs)
        own = quantity(str(metric))
        columns[f"{task} {metric}{arrow(own)}{f' {LEAK}' if cells['leaked'].any() else ''}"] = [
            bounded(group, own.unit) + (f" {sign}" if sign else "").ljust(width)
            for group, sign in zip(groups, signs, strict=True)
        ]
    columns["mean"] = [_mean(rows[rows["method"] == method], scale) for method in methods]
    return columns


def bounded(cells: pd.DataFrame, unit: Unit) -> str:
    """``spread`` of a method's seeds on a task with its interval behind it, percent whole."""
    text = spread(cells["primary"], list(cells["status"]), unit)
    ends = ends_of(cells)
    return f"{text} [{unit.text(ends[0], 0)}, {unit.text(ends[1], 0)}]" if ends else text


def ends_of(cells: pd.DataFrame) -> tuple[float, float] | None:
    """The interval of a method's mean over seeds on a task, the same in the table, the plots and the page.

    None where there is no score, or the interval is not known.
    """
    known = cells.loc[cells["primary"].notna() & cells["mean_low"].notna(), ["mean_low", "mean_high"]]
    return None if known.empty else (known["mean_low"].iloc[0], known["mean_high"].iloc[0])


def pairs(rows: pd.DataFrame, first: str, second: str) -> list[tuple[str, str]]:
    """The distinct values of two columns, in the order of their first rows."""
    return list(rows[[first, second]].drop_duplicates().itertuples(index=False, name=None))


def _mean(rows: pd.DataFrame, scale: Scale) -> str:
    own = scale.of(rows)
    if own["primary"].isna().any():
        return MISSING
    return spread(own.groupby("seed", sort=False)["primary"].mean(), unit=scale.unit)


def spread(values: "pd.Series[float]", statuses: Sequence[str] = (), unit: Unit = PERCENT) -> str:
    """One number for the seeds of a cell; seeds without a number are counted, never averaged in.

    >>> spread(pd.Series([0.5])), spread(pd.Series([0.5, 0.52])), spread(pd.Series([0.5, None]), ["done", "failed"])
    ('50.0', '51.0 ± 1.4 (2 seeds)', '50.0 (1 seed, 1 failed)')
    """
    done = values.dropna() * unit.factor
    if done.empty:
        return lost(statuses)
    counts = [f", {count} {status}" for status in (Status.FAILED, Status.NOT_RUN) if (count := statuses.count(status))]
    if len(done) == 1 and not counts:
        return unit.write(done.iloc[0])
    deviation = f" ± {unit.write(done.std())}" if len(done) > 1 else ""
    seeds = "1 seed" if len(done) == 1 else f"{len(done)} seeds"
    return f"{unit.write(done.mean())}{deviation} ({seeds}{''.join(counts)})"


def lost(statuses: Sequence[str]) -> str:
    """The text in place of a missing number: ``failed`` where something failed, else ``—``."""
    return Status.FAILED if Status.FAILED in statuses else MISSING


def failures(rows: pd.DataFrame) -> list[str]:
    """A line for each cell that failed: which, and why."""
    failed = rows[rows["status"] == Status.FAILED]
    cells = failed[["method", "model", "task", "seed", "reason"]].itertuples(index=False)
    return [f"{Status.FAILED}: {' · '.join(names)}: {reason}" for *names, reason in cells]


def failed_lines(failed_parts: Sequence[Mapping[str, str]] | None) -> list[str]:
    """A line for each part of the report that failed.

    >>> failed_lines([{"title": "rank, tiny", "type": "ValueError", "reason": "no", "log": "x.log"}])
    ['rank, tiny: ValueError: no (see x.log)']
    """
    return [f"{part['title']}: {part['type']}: {part['reason']} (see {part['log']})" for part in failed_parts or []]


def costs(rows: pd.DataFrame) -> Columns:
    """Costs of a cell of each method: the mean over tasks and seeds, of memory the highest peak.

    PSCP and its factors are of the tasks that it is defined for.
    """
    trained = rows[~rows["method"].isin(GUESSES)]
    scored = points(rows).of(trained)
    columns: Columns = {"method": list(trained["method"].unique())}
    for name, (header, write) in COSTS.items():
        table = scored if name.startswith("pscp") else trained
        cells = [table.loc[table["method"] == method, name] for method in columns["method"]]
        over_cells = "max" if name in PEAKS else "mean"
        columns[header] = [_over(numbers, over_cells, write) for numbers in cells]
    return columns


def _over(numbers: "pd.Series[float]", over_cells: str, write: Callable[[float], str]) -> str:
    """Mean or maximum of a cost; a cell without it leaves none."""
    return MISSING if numbers.empty or numbers.isna().any() else write(numbers.agg(over_cells))


def _costs_caption(rows: pd.DataFrame) -> str:
    named = pd.concat([rows["memory_kind"], rows["generate_memory_kind"]])
    kinds = " or ".join(named.dropna().unique()) or "of no cell"
    return (
        "Costs of a cell, the mean over tasks and seeds. params: trainable parameters. TFLOP, +GFLOP: one forward of "
        "1 x 512 tokens, whole and beyond the base model's. train GB, gen GB: highest memory peak of training and of "
        f"answering, {kinds}. train s, gen s: wall seconds. MB: checkpoint on disk. PSCP: a cell's score x f_p x f_F x "
        "f_M, the factors for parameters, compute beyond the base's, and memory of training."
    )
