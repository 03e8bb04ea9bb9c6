"""The place of raw rows that a task's own row names: a path from the project's folder, and its entry in the catalog."""

from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any

from pydantic import AfterValidator

from peft_pipelines.config.spec import shown, written
from peft_pipelines.files import names


def from_project(path: str) -> str:
    """Return a path; raise ValueError for one that does not begin at the project's folder.

    >>> from_project("/mnt/tickets.csv")
    Traceback (most recent call last):
    ValueError: must be a path from the project's folder, such as data/01_raw/tickets.csv, got '/mnt/tickets.csv'
    """
    written(path)
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or path.startswith("~"):
        raise ValueError(
            f"must be a path from the project's folder, such as data/01_raw/tickets.csv, got {shown(path)}"
        )
    return path


RawPath = Annotated[str, AfterValidator(from_project)]


def with_own_rows(catalog: Mapping[str, Any], tasks: object) -> dict[str, Any]:
    """Return a catalog's entries with one for the raw rows of each task whose row says where they lie.

    It is the catalog's entry for all tasks but for its path, and never one that the hub fills. An entry of the task's
    own that stands in the catalog already stays.

    >>> pattern = {"{task}_raw": {"type": "x.Rows", "filepath": "rows/{task}"}}
    >>> with_own_rows(pattern, {"mine": {"raw": "mine.csv"}, "sst2": {}})["mine_raw"]
    {'type': 'x.Rows', 'filepath': 'mine.csv'}
    """
    every = catalog.get(names.raw("{task}"))
    if not isinstance(every, Mapping) or not isinstance(tasks, Mapping):
        return dict(catalog)
    entry = {key: value for key, value in every.items() if key != "hub"}
    own = {
        names.raw(str(name)): {**entry, "filepath": row["raw"]}
        for name, row in tasks.items()
        if isinstance(row, Mapping) and isinstance(row.get("raw"), str)
    }
    return {**own, **catalog}
