"""What a run would make and take, as a table with sentences for people, and as JSON for programs."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from peft_pipelines.files import names
from peft_pipelines.files.markdown import bullets, paragraph, render
from peft_pipelines.files.quantities import duration
from peft_pipelines.running.estimates import LIKE, ROUGH, Estimate
from peft_pipelines.running.outlook import Foreseen, Outlook
from peft_pipelines.running.priced import Priced

NOTHING, UNLIKE = "—", "no cell like it has run"
SHOWN: Final = 10
"""The most failures that are shown, one a line; JSON has all."""


def plan_table(priced: Priced) -> str:
    """Return a line a method, and the totals in sentences."""
    return "\n\n".join([render(_columns(priced)), *map(paragraph, _sentences(priced)), *_failures(priced.outlook)])


def _columns(priced: Priced) -> dict[str, list[str]]:
    methods = dict.fromkeys(cell.unit.names[0] for cell in priced.outlook.cells)
    every = {name: [cell for cell in priced.outlook.cells if cell.unit.names[0] == name] for name in methods}
    made = {name: [pair for pair in priced.estimates if pair[0].unit.names[0] == name] for name in methods}
    known = {name: [estimate for _, estimate in pairs if estimate] for name, pairs in made.items()}
    return {
        "method": list(methods),
        "cells": [str(len(cells)) for cells in every.values()],
        "unchanged": [str(len(every[name]) - len(made[name])) for name in methods],
        "to make": [str(len(pairs)) for pairs in made.values()],
        "failed": [str(sum(bool(cell.failure) for cell in cells)) for cells in every.values()],
        "time": [duration(sum(one.seconds for one in each)) if each else NOTHING for each in known.values()],
        "disk": [_size(each) if each else NOTHING for each in known.values()],
        "estimated from": [_origin(estimate for _, estimate in made[name]) for name in methods],
    }


def _size(estimates: Iterable[Estimate]) -> str:
    return f"{sum(one.bytes for one in estimates) / 1e6:,.1f} MB"


def _origin(estimates: Iterable[Estimate | None]) -> str:
    """Which cells the estimates of a method are from, the most alike first."""
    found = {estimate.like if estimate else UNLIKE for estimate in estimates}
    return ", ".join(like for like in (*LIKE, UNLIKE) if like in found) or NOTHING


def _sentences(priced: Priced) -> list[str]:
    texts = (_total(priced), _weights(priced.outlook), _open(priced.outlook), _downloads(priced.outlook))
    return [text for text in texts if text]


def _total(priced: Priced) -> str:
    cells, to_make = len(priced.outlook.cells), len(priced.estimates)
    if not to_make:
        return f"All {cells} cells are unchanged: none would be made."
    failed = sum(bool(cell.failure) for cell in priced.outlook.cells)
    before = f", of which {failed} failed before" if failed else ""
    counts = f"{to_make} of {cells} cells to make{before}, {cells - to_make} unchanged"
    if priced.seconds is None:
        return f"{counts}. No cell like them has run: nothing is known of their time and disk."
    one, several = sum(each.seconds for each in priced.known), priced.workers > 1
    with_workers = f"with {priced.workers} workers, {duration(one)} with one" if several else "with 1 worker"
    size = f"{counts}: {duration(priced.seconds)} {with_workers}; {_size(priced.known)} of checkpoints."
    return " ".join([size, *_limits(priced)])


def _limits(priced: Priced) -> list[str]:
    """What the numbers leave out, and where they are rough."""
    unknown = len(priced.estimates) - len(priced.known)
    rough = [like for like in ROUGH if any(one.like == like for one in priced.known)]
    again = sum(not {"train", "generate"} & {*cell.steps} for cell, _ in priced.estimates)
    sentences = {
        f"No cell like {unknown} of them has run; these are in no number.": unknown,
        f"What is estimated from {' and '.join(rough)} is a first estimate.": rough,
        f"{again} of them are only scored again, which no record times.": again,
    }
    return [text for text, applies in sentences.items() if applies]


def _weights(outlook: Outlook) -> str:
    """What the run would train again for weights that were dropped, and what it would drop."""
    again = Counter(cell.plan.again for cell in outlook.cells if cell.plan.again)
    to_drop = sum(bool(cell.plan.to_drop) for cell in outlook.cells)
    sentences = {f"{count} of them trained again, since {reason}.": count for reason, count in again.items()}
    sentences[f"The weights of {to_drop} unchanged cells are dropped, as their rows do not keep them."] = to_drop
    return " ".join(text for text, applies in sentences.items() if applies)


def _open(outlook: Outlook) -> str:
    if not outlook.tasks:
        return ""
    standing = sum(cell.open for cell in outlook.cells)
    made = f"The run makes the data of {', '.join(outlook.tasks)} first."
    if not standing:
        return made
    return f"{made} {standing} of the cells to make stand on record, and are skipped if their data come out the same."


def _downloads(outlook: Outlook) -> str:
    return f"It downloads before that: {', '.join(outlook.downloads.values())}." if outlook.downloads else ""


def _failures(outlook: Outlook) -> list[str]:
    lines = [f"failed before: {cell.failure.line}" for cell in outlook.cells if cell.failure]
    more = [f"and {len(lines) - SHOWN} more, see --json"] if len(lines) > SHOWN else []
    return [bullets([*lines[:SHOWN], *more])] if lines else []


def plan_json(priced: Priced) -> str:
    """Return the totals and a row a cell as JSON; what is not known is null."""
    known, estimates = priced.known, {cell.unit.tag: estimate for cell, estimate in priced.estimates}
    found = {
        "cells": len(priced.outlook.cells),
        "unchanged": len(priced.outlook.cells) - len(priced.estimates),
        "to_make": len(priced.estimates),
        "failed_before": sum(bool(cell.failure) for cell in priced.outlook.cells),
        "not_estimated": len(priced.estimates) - len(known),
        "workers": priced.workers,
        "seconds": priced.seconds,
        "seconds_with_one_worker": sum(one.seconds for one in known) if known else None,
        "checkpoint_bytes": sum(one.bytes for one in known) if known else None,
        "data_to_make": priced.outlook.tasks,
        "to_download": list(priced.outlook.downloads.values()),
        "each": [_row(cell, estimates.get(cell.unit.tag)) for cell in priced.outlook.cells],
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def _row(cell: Foreseen, estimate: Estimate | None) -> dict[str, Any]:
    return {
        "cell": names.cell_id(*cell.unit.names),
        "steps": cell.steps,
        "skipped_with_the_same_data": cell.open,
        "trained_again_since": cell.plan.again or None,
        "weights_to_drop": bool(cell.plan.to_drop),
        "failed_before": f"{cell.failure.kind}: {cell.failure.reason}" if cell.failure else None,
        "seconds": estimate.seconds if estimate else None,
        "checkpoint_bytes": estimate.bytes if estimate else None,
        "estimated_from": estimate.like if estimate else None,
    }
