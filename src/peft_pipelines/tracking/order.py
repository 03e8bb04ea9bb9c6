"""The order in which the runs of a store began, whatever the clocks said that their ids are made of."""

import os
from collections.abc import Iterable
from pathlib import Path

from peft_pipelines.config.errors import ConfigError

ORDER = "order.txt"
"""Beside the runs' folders: the id of each run, a line as it began."""


def reserve(folder: Path) -> None:
    """Make the folder of a run that begins, and note its id. The line is written at once, also where several begin.

    Raises:
        ConfigError: another run has the id.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError(
            f"run '{folder.name}': another run of this store began in the same microsecond and has this id; "
            "give the command again"
        ) from None
    handle = os.open(folder.parent / ORDER, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
    try:
        os.write(handle, f"{folder.name}\n".encode())
    finally:
        os.close(handle)


def in_order(folder: Path, run_ids: Iterable[str]) -> list[str]:
    """Return runs as they began, the oldest first. Those of which nothing is noted come before, by their ids."""
    try:
        noted = (folder / ORDER).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        noted = []
    places = {run_id: place for place, run_id in enumerate(noted)}
    return sorted(run_ids, key=lambda run_id: (places.get(run_id, -1), run_id))
