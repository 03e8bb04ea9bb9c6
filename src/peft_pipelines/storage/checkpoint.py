"""A trained method on disk: its tensors, its config and the record of its training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import JSONPreview

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json, remove_folder, replacing, write_json, write_text
from peft_pipelines.storage.dropped import Dropped, dropped_from
from peft_pipelines.storage.hashes import BESIDE, CARD
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
    """A handle to a saved method: its folder and record, without tensors; and what was dropped of these, if they were.

    Who reads the tensors asks for ``weights``.
    """

    folder: Path
    record: dict[str, Any]
    dropped: Dropped | None = None

    @property
    def weights(self) -> Path:
        """The folder, with the method's tensors in it.

        Raises:
            ConfigError: they were dropped.
        """
        if self.dropped:
            raise ConfigError(f"checkpoint '{self.folder.parent.name}': {self.dropped.line}")
        return self.folder

    @property
    def bytes(self) -> int:
        """The size of the method's files in bytes as they were saved, record and card left out."""
        gone = self.dropped.files if self.dropped else {}
        inside = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        there = [path for name, path in inside.items() if path.name not in (RECORD, *BESIDE) and name not in gone]
        return sum(path.stat().st_size for path in there) + sum(file.bytes for file in gone.values())


def opened(folder: Path) -> Checkpoint:
    """Return the handle to the checkpoint in a folder."""
    return Checkpoint(folder, read_json(folder / RECORD), dropped_from(folder))


def write_card(checkpoint: Checkpoint, numbers: Mapping[str, Any]) -> None:
    """Write the scores into a checkpoint's card, and what was dropped of it, where that is not in it yet."""
    path, text = checkpoint.folder / CARD, card(checkpoint.record, numbers, checkpoint.dropped)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


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
        return opened(Path(self._get_load_path()))

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
