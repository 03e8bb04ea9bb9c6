"""What lies in a store, found on disk: each dataset of the catalog's patterns, whichever grid it was made for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.running.report_runner import record_of
from peft_pipelines.running.units import Unit

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Place:
    """A dataset on disk: its name, its path, whether it keeps versions, and the unit that makes it, None for the
    report's."""

    name: str
    path: Path
    versioned: bool
    unit: Unit | None


class Store:
    """A store as a catalog describes it.

    Args:
        catalog: the entries of ``catalog.yml``.
        project: the project's folder, from which relative paths count.
    """

    def __init__(self, catalog: Mapping[str, Any], project: Path) -> None:
        rooted = {name: {**entry, **_rooted(entry, project)} for name, entry in catalog.items()}
        self.catalog = DataCatalog.from_config(rooted)
        self._files = {name: entry for name, entry in rooted.items() if "filepath" in entry}
        self.runs = Path(self._files[names.RUNS]["filepath"])
        self.report = record_of(self.catalog).parent

    def places(self) -> Iterator[Place]:
        """Yield all datasets of tasks, cells and the report that lie there."""
        for name, entry in self._files.items():
            if name == names.RUNS or name.endswith(("_raw", "_weights")):
                continue
            filepath = str(entry["filepath"])
            found = Path(filepath).parent.glob(Path(filepath).name) if "{" not in filepath else _globbed(filepath)
            for path in sorted(found):
                fields = _fields(filepath, path)
                yield Place(_filled(name, fields), path, bool(entry.get("versioned")), _unit(fields))

    def folder(self, unit: Unit | None) -> Path:
        """Return the folder that is claimed by who makes a unit, or the report."""
        return unit.folder(self.catalog) if unit else self.report


def _rooted(entry: Mapping[str, Any], project: Path) -> dict[str, str]:
    return {"filepath": str(project / entry["filepath"])} if "filepath" in entry else {}


def _globbed(filepath: str) -> Iterator[Path]:
    """The paths that a pattern's path may stand for."""
    before, _, _ = filepath.partition("{")
    root = Path(before) if before.endswith("/") else Path(before).parent
    return root.glob(_FIELD.sub("*", str(Path(filepath).relative_to(root))))


def _fields(filepath: str, path: Path) -> dict[str, str]:
    """The names in a path that a pattern's path stands for.

    >>> _fields("/s/{model}/{task}/x.json", Path("/s/tiny/sst2/x.json"))
    {'model': 'tiny', 'task': 'sst2'}
    """
    parts = enumerate(_FIELD.split(filepath))  # by turns what stands there, and the name of a field
    pattern = "".join(f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in parts)
    found = re.fullmatch(pattern, str(path))
    return found.groupdict() if found else {}


def _filled(name: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: fields.get(found[1], ""), name)


def _unit(fields: Mapping[str, str]) -> Unit | None:
    if {"method", "model", "task", "seed"} <= fields.keys():
        cell = Cell(**{axis: fields[axis] for axis in ("method", "model", "task", "seed")})
        return Unit(names.cell_tag(cell.id), ())
    return Unit(names.data_tag(fields["task"]), ()) if fields.keys() == {"task"} else None
