"""From the files that a method's cells left to one row a cell."""

from typing import Any

from peft_pipelines.pipelines.report.table import DONE, FAILED, NOT_RUN


def collect(**parts: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row a cell: what it is, its ``status`` and the ``reason`` of a failure, then its numbers.

    Args:
        parts: ``metrics.<model>.<task>.<seed>``: the cell's numbers, None where it has none;
            ``failure.<model>.<task>.<seed>``: the runner's record of why it failed, None where it did not.

    >>> collect(**{"metrics.m.t.s0": {"primary": 0.5}})
    [{'model': 'm', 'task': 't', 'seed': 's0', 'status': 'done', 'reason': None, 'primary': 0.5}]
    """
    rows = []
    for name, found in part(parts, "metrics").items():
        cell = dict(zip(("model", "task", "seed"), name.split("."), strict=True))
        rows.append({**cell, **_status(found, parts.get(f"failure.{name}")), **(found or {})})
    return rows


def _status(found: dict[str, Any] | None, failure: dict[str, Any] | None) -> dict[str, str | None]:
    """Numbers tell that a cell is done, whatever an earlier run has left beside them."""
    if found is not None:
        return {"status": DONE, "reason": None}
    if failure is None:
        return {"status": NOT_RUN, "reason": None}
    return {"status": FAILED, "reason": f"{failure['type']}: {failure['reason']}"}


def part(parts: dict[str, Any], kind: str) -> dict[str, Any]:
    """The arguments of one kind, by the name behind it.

    >>> part({"rows.a": 1, "spec.a": 2}, "spec")
    {'a': 2}
    """
    return {name.partition(".")[2]: value for name, value in parts.items() if name.startswith(f"{kind}.")}
