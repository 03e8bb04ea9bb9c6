"""The result table as text: Markdown, padded so that it reads as well in a terminal as rendered."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from textwrap import fill

import pandas as pd

WIDTH = 120
MISSING = "—"
DONE, FAILED, NOT_RUN = "done", "failed", "not run"
INVALID_LIMIT, TRUNCATED_LIMIT = 0.05, 0.01
MARKS = {
    "!": "predicts one class only",
    "?": f"more than {INVALID_LIMIT:.0%} of the answers are invalid",
    "≈": "not better than always giving the most frequent answer",
    "†": f"more than {TRUNCATED_LIMIT:.0%} of a split's rows lost text to the length limit",
}

Columns = dict[str, list[str]]

# column of the frame: its header and how its number is written
COSTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "trainable_parameters": ("params", "{:,.0f}".format),
    "tflop": ("TFLOP", "{:.3f}".format),
    "peak_memory_gb": ("GB", "{:.2f}".format),
    "train_seconds": ("train s", "{:.1f}".format),
    "generate_seconds": ("gen s", "{:.1f}".format),
    "checkpoint_bytes": ("MB", lambda size: f"{size / 1e6:.2f}"),
    "pscp": ("PSCP", "{:.1f}".format),
    "pscp_factor_parameters": ("f_p", "{:.4f}".format),
    "pscp_factor_compute": ("f_F", "{:.4f}".format),
    "pscp_factor_memory": ("f_M", "{:.4f}".format),
}


def markdown(results: pd.DataFrame, notes: Mapping[str, str]) -> str:
    """For each model the scores with their marks, the costs, and the model's note.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        notes: a sentence by model, or an empty text.
    """
    models = results.groupby("model", sort=False)
    return "\n".join(_section(str(name), rows, notes[str(name)]) for name, rows in models)


def _section(model: str, rows: pd.DataFrame, note: str) -> str:
    marks: dict[Hashable, str] = {key: mark(cells, rows) for key, cells in rows.groupby(["method", "task"], sort=False)}
    tests = rows.groupby("task", sort=False)["n"].max()
    sized = ", ".join(f"{task} {n:.0f}" for task, n in tests.items())
    parts = [
        f"### {model}",
        paragraph(f"Each task's primary metric in percent, and the mean over tasks. Test rows: {sized}."),
        render(scores(rows, marks)),
        paragraph("; ".join(f"{sign} {text}" for sign, text in MARKS.items() if sign in "".join(marks.values()))),
        failures(rows),
        render(costs(rows)),
        paragraph(_costs_caption(rows)),
        paragraph(note and f"{model}: {note}."),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def mark(cells: pd.DataFrame, rows: pd.DataFrame) -> str:
    """The signs of ``MARKS`` for one method on one task: ``cells`` are its seeds, ``rows`` all rows of the model.

    What one seed does marks the method, but for ``≈``, which is about the mean over seeds.
    """
    if (cells["method"] == rows["method"].iloc[0]).all():
        return ""  # the majority rows stand first, and are what the others are held against
    majority = rows["primary"][rows["task"] == cells["task"].iloc[0]].iloc[0]
    holds = {
        "!": (cells["predicted_classes"] == 1).any(),
        "?": (cells["invalid_rate"] > INVALID_LIMIT).any(),
        "≈": cells["primary"].mean() <= majority,
        "†": (cells["truncated_share"] > TRUNCATED_LIMIT).any(),
    }
    return "".join(sign for sign, true in holds.items() if true)


def scores(rows: pd.DataFrame, marks: Mapping[Hashable, str]) -> Columns:
    """Methods down, tasks across: percent, over several seeds the mean ± the standard deviation and n."""
    methods = list(rows["method"].unique())
    columns: Columns = {"method": methods}
    for (task, metric), cells in rows.groupby(["task", "metric"], sort=False):
        signs = [marks[method, task] for method in methods]
        width = max(len(sign) + 1 if sign else 0 for sign in signs)
        groups = [cells[cells["method"] == method] for method in methods]
        numbers = [spread(group["primary"], list(group["status"])) for group in groups]
        columns[f"{task} {metric}"] = [
            number + (f" {sign}" if sign else "").ljust(width) for number, sign in zip(numbers, signs, strict=True)
        ]
    columns["mean"] = [_mean(rows[rows["method"] == method]) for method in methods]
    return columns


def _mean(rows: pd.DataFrame) -> str:
    if rows["primary"].isna().any():
        return MISSING
    return spread(rows.groupby("seed", sort=False)["primary"].mean())


def spread(values: "pd.Series[float]", statuses: Sequence[str] = ()) -> str:
    """One number in percent for the seeds of a cell; seeds without a number are counted, never averaged in.

    >>> spread(pd.Series([0.5])), spread(pd.Series([0.5, 0.52])), spread(pd.Series([0.5, None]), ["done", "failed"])
    ('50.0', '51.0 ± 1.4 (n=2)', '50.0 (n=1, 1 failed)')
    """
    done = values.dropna() * 100
    if done.empty:
        return lost(statuses)
    counts = [f", {count} {status}" for status in (FAILED, NOT_RUN) if (count := statuses.count(status))]
    if len(done) == 1 and not counts:
        return f"{done.iloc[0]:.1f}"
    deviation = f" ± {done.std():.1f}" if len(done) > 1 else ""
    return f"{done.mean():.1f}{deviation} (n={len(done)}{''.join(counts)})"


def lost(statuses: Sequence[str]) -> str:
    """What stands for a number that is not there: ``failed`` where something failed, else ``—``."""
    return FAILED if FAILED in statuses else MISSING


def failures(rows: pd.DataFrame) -> str:
    """A line for each cell that failed: which, and why."""
    failed = rows[rows["status"] == FAILED]
    cells = failed[["method", "model", "task", "seed", "reason"]].itertuples(index=False)
    return "\n".join(f"* {FAILED}: {' · '.join(names)}: {reason}" for *names, reason in cells)


def costs(rows: pd.DataFrame) -> Columns:
    """What a cell of each method costs: the mean over tasks and seeds, of memory the highest peak."""
    trained = rows[rows["method"] != rows["method"].iloc[0]]
    columns: Columns = {"method": list(trained["method"].unique())}
    for name, (header, write) in COSTS.items():
        cells = [numbers for _, numbers in trained.groupby("method", sort=False)[name]]
        over_cells = "max" if name == "peak_memory_gb" else "mean"
        columns[header] = [MISSING if numbers.isna().any() else write(numbers.agg(over_cells)) for numbers in cells]
    return columns


def _costs_caption(rows: pd.DataFrame) -> str:
    kinds = " or ".join(rows["memory_kind"].dropna().unique()) or "of no cell"
    return (
        "Costs of a cell, the mean over tasks and seeds. params: trainable parameters. TFLOP: one forward of 1 x 512 "
        f"tokens. GB: highest memory peak of the cells, {kinds}. train s, gen s: wall seconds. MB: checkpoint on disk. "
        "PSCP: a cell's score x f_p x f_F x f_M, the factors for parameters, compute beyond the base's, and memory."
    )


def paragraph(text: str) -> str:
    """Text broken to the table's width."""
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def render(columns: Mapping[str, Sequence[str]], width: int = WIDTH) -> str:
    """A Markdown table; columns that find no room in ``width`` stand in a further table beneath, names repeated.

    >>> print(render({"method": ["a", "bb"], "x": ["1.0", "10.0"]}))
    | method |    x |
    |:-------|-----:|
    | a      |  1.0 |
    | bb     | 10.0 |
    """
    head, *rest = columns
    widths = {name: max(len(text) for text in [name, *cells]) for name, cells in columns.items()}
    blocks: list[list[str]] = [[]]
    for name in rest:
        if blocks[-1] and sum(widths[part] + 3 for part in [head, *blocks[-1], name]) + 1 > width:
            blocks.append([])
        blocks[-1].append(name)
    return "\n\n".join(_block({name: columns[name] for name in [head, *block]}, widths) for block in blocks)


def _block(columns: Mapping[str, Sequence[str]], widths: Mapping[str, int]) -> str:
    head, *rest = columns
    rule = [":" + "-" * (widths[head] + 1)] + ["-" * (widths[name] + 1) + ":" for name in rest]
    rows = [
        [first.ljust(widths[head])] + [text.rjust(widths[name]) for name, text in zip(rest, others, strict=True)]
        for first, *others in [list(columns), *zip(*columns.values(), strict=True)]
    ]
    top, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([top, f"|{'|'.join(rule)}|", *body])
