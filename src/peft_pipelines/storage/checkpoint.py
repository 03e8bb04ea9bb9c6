"""A trained method on disk: its own tensors, its config, and the record of how it came about."""

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import JSONPreview

from peft_pipelines.files.atomic import read_json, replacing, write_json
from peft_pipelines.storage.hashes import CARD
from peft_pipelines.storage.model_card import card

if TYPE_CHECKING:
    from peft_pipelines.methods.attached import Attached

RECORD = "record.json"


@dataclass
class Trained:
    """What ``train`` returns: the live method, the record, and the working folder that it no longer needs."""

    attached: "Attached"
    record: dict[str, Any]
    workspace: Path


@dataclass(frozen=True)
class Checkpoint:
    """A handle to a saved method. Never a live model."""

    folder: Path
    record: dict[str, Any]

    @property
    def bytes(self) -> int:
        """The size of the method's files on disk, record and card left out."""
        beside = (RECORD, CARD)
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file() and path.name not in beside)


class CheckpointFolder(AbstractVersionedDataset[Trained, Checkpoint | None]):
    """A folder in the provider's own format with a ``record.json``. Saving it ends the life of the training state.

    Args:
        filepath: where it lies.
        optional: a missing one is loaded as None.
    """

    def __init__(
        self,
        *,
        filepath: str,
        optional: bool = False,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self.metadata, self.optional = metadata, optional

    def load(self) -> Checkpoint | None:
        """The handle; None where there is none and that is allowed."""
        if self.optional and not self.exists():
            return None
        folder = Path(self._get_load_path())
        return Checkpoint(folder, read_json(folder / RECORD))

    def save(self, data: Trained) -> None:
        """Write tensors, config, record and card; then remove the training state."""
        from peft_pipelines.methods import providers  # noqa: PLC0415  (loads torch, which reading a record needs not)

        with replacing(Path(self._get_save_path())) as folder:
            folder.mkdir()
            providers.save(data.attached, folder)
            write_json(folder / RECORD, data.record)
            if "method" in data.record:  # a card tells of a cell
                (folder / CARD).write_text(card(data.record), encoding="utf-8")
        shutil.rmtree(data.workspace, ignore_errors=True)

    def preview(self) -> JSONPreview:
        """The record, for kedro-viz."""
        return JSONPreview((Path(self._get_load_path()) / RECORD).read_text(encoding="utf-8"))

    def _exists(self) -> bool:
        return (Path(self._get_load_path()) / RECORD).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}
