"""From the files that a method's cells left to one row a cell."""

from collections.abc import Mapping
from typing import Any

from peft_pipelines.files.names import arguments
from peft_pipelines.files.status import Status

EARLIER = "peak_memory_gb"
OTHERWISE = (EARLIER, "memory_kind", "tflop", "base_tflop")


def collect(**cells: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row a cell: what it is, its ``status`` and the ``reason`` of a failure, then its numbers.

    Args:
        cells: by ``model.task.seed`` the cell's numbers, the runner's record of why it failed, or None where it was
            not run.

    >>> collect(**{"m.t.s0": {"primary": 0.5}, "m.t.s1": {"type": "OSError", "reason": "disk full"}})[1]["reason"]
    'OSError: disk full'
    """
    return [
        {**dict(zip(("model", "task", "seed"), name.split("."), strict=True)), **_outcome(found)}
        for name, found in cells.items()
    ]


def _outcome(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {"status": Status.NOT_RUN, "reason": None}
    if "primary" not in found and "reason" not in found:
        return {"status": Status.NOTHING_TO_DRAW, "reason": None, **found}
    if "primary" not in found:
        return {"status": Status.FAILED, "reason": f"{found['type']}: {found['reason']}"}
    return {"status": Status.DONE, "reason": None, **comparable(found)}


def comparable(scores: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's numbers without costs that were measured otherwise than those of other cells: these are not known.

    Cells whose record has one peak for training and answering together are of a release that counted no attention on
    CPUs either. Their compute and PSCP stand in no column beside those of other cells.

    >>> comparable({"primary": 0.5, "tflop": 0.138, "peak_memory_gb": 0.6, "pscp": 89.2})
    {'primary': 0.5}
    """
    if EARLIER not in scores:
        return dict(scores)
    return {name: value for name, value in scores.items() if name not in OTHERWISE and not name.startswith("pscp")}


def given(parts: dict[str, Any], kind: str) -> dict[str, Any]:
    """The arguments of one kind that are not None, by the name behind it: what a failed node was to make is None.

    >>> given({"rows.a": 1, "rows.b": None, "spec.a": 2}, "rows")
    {'a': 1}
    """
    return {name: value for name, value in arguments(parts, kind).items() if value is not None}
