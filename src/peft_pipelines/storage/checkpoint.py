"""A trained method on disk: its tensors, its config and the record of its training."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import JSONPreview

from peft_pipelines.files.atomic import read_json, remove_folder, replacing, write_json
from peft_pipelines.storage.hashes import CARD
from peft_pipelines.storage.model_card import card

if TYPE_CHECKING:
    from peft_pipelines.methods.attached import Attached

RECORD = "record.json"


@dataclass
class Trained:
    """The output of ``train``: the live method, the record, and the working folder, to be removed at saving."""

    attached: "Attached"
    record: dict[str, Any]
    workspace: Path


@dataclass(frozen=True)
class Checkpoint:
    """A handle to a saved method: its folder and record, without tensors."""

    folder: Path
    record: dict[str, Any]

    @property
    def bytes(self) -> int:
        """The size of the method's files in bytes, record and card left out."""
        beside = (RECORD, CARD)
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file() and path.name not in beside)


class CheckpointFolder(AbstractVersionedDataset[Trained, Checkpoint | None]):
    """A folder in the provider's own format with a ``record.json``. Saving removes the training state.

    Args:
        filepath: the folder.
        optional: whether a missing one is loaded as None.
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
        """Return the handle; None where an optional checkpoint is missing."""
        if self.optional and not self.exists():
            return None
        folder = Path(self._get_load_path())
        return Checkpoint(folder, read_json(folder / RECORD))

    def save(self, data: Trained) -> None:
        """Write tensors, config, record and card as a whole; then remove the training state."""
        from peft_pipelines.methods import providers  # noqa: PLC0415  (loads torch, which reading a record needs not)

        with replacing(Path(self._get_save_path())) as folder:
            folder.mkdir()
            providers.save(data.attached, folder)
            write_json(folder / RECORD, data.record)
            if "method" in data.record:  # only a cell's record holds what a card needs
                (folder / CARD).write_text(card(data.record), encoding="utf-8")
        remove_folder(data.workspace)  # half of a state would be taken for a whole one if the process died here

    def preview(self) -> JSONPreview:
        """Return the record, for kedro-viz."""
        return JSONPreview((Path(self._get_load_path()) / RECORD).read_text(encoding="utf-8"))

    def _exists(self) -> bool:
        return (Path(self._get_load_path()) / RECORD).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}
