"""Differences between the environment in which a run was made and the present one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.files import names
from peft_pipelines.running.source import PACKAGE, code
from peft_pipelines.running.stages import DECIDES_NOTHING, DECIDING
from peft_pipelines.storage.hashes import file_hashes
from peft_pipelines.tracking.environment import environment, flat
from peft_pipelines.tracking.runs import Run

MISSING, SAME = "not there", "nothing differs from then: libraries, machine, settings, code, raw rows"


def changes(run: Run, catalog: DataCatalog, project: Path) -> list[str]:
    """Return a line for each difference between a run's environment and the present one, or one that there is none."""
    import torch  # noqa: F401, PLC0415  (only where it is loaded the accelerator is known)

    then = {**run.manifest["environment"], "modules": run.manifest["modules_sha256"]}
    here = {**environment(project), "modules": code(PACKAGE, DECIDING, DECIDES_NOTHING)}
    found = [*differences(then, here), *_raw(run, catalog)]
    return [f"run {run.id} of {run.manifest['started']}", *(found or [SAME])]


def _raw(run: Run, catalog: DataCatalog) -> Iterator[str]:
    for task, kinds in run.manifest.get("data", {}).items():
        if kinds["raw"]["sha256"] != file_hashes(catalog.get(names.raw(task))):
            yield f"raw rows of {task}: not those of then"


def differences(then: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """A line for each library, part of the machine, setting and state of the code that differs.

    >>> differences({"python": "3.11.7", "hardware": {"threads": 2}}, {"python": "3.11.7", "hardware": {"threads": 1}})
    ['hardware threads: 2 then, 1 here']
    """
    old, new = flat(then), flat(here)
    return [
        f"{key.replace('.', ' ', 1)}: {_short(old.get(key))} then, {_short(new.get(key))} here"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _short(value: Any) -> str:
    """Hashes and commits by their first twelve digits."""
    if value is None:
        return MISSING
    text = str(value)
    return text[:12] if len(text) in (40, 64) and text.isalnum() else text
