"""A working folder of the catalog: the training state of one cell, a downloaded model, or the runs on record."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset


class Workspace(AbstractDataset[Path, Path]):
    """A folder that is made when it is loaded. It is no node's output, so it is never saved."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder; make it where it is missing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def save(self, data: Path) -> None:
        """Raise ValueError: a workspace is an input only."""
        raise ValueError(f"the workspace '{self._folder}' is an input of a node, got {data!r} to save")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
