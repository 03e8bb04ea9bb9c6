"""The cells that the model's process holds: those of the last request alone, all on one resident base model."""

import gc
from collections.abc import Mapping, Sequence
from typing import Final

import psutil
from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.models import device
from peft_pipelines.serving.beside import beside_of, recorded_beside
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import loaded, weights_folder
from peft_pipelines.serving.recorded_cell import RecordedCell, cell_of, recorded_cell
from peft_pipelines.storage.dropped import weights_of

Key = tuple[str, ...]

_GB: Final = 1e9


class HeldCells:
    """Cells that are ready to answer. What the next request does not name is let go before anything is read."""

    def __init__(self) -> None:
        self._cells: dict[Key, LoadedCell] = {}

    def take(self, catalog: DataCatalog, wanted: Sequence[str]) -> dict[str, LoadedCell]:
        """Return cells by the names that they are asked for by.

        Args:
            catalog: that of a session.
            wanted: ``METHOD.MODEL.TASK.SEED``; behind the first also a method, for the first one's other names.

        Raises:
            ConfigError: they have several base models, the memory that is free now is too small, or as for
                ``recorded_cell`` and ``recorded_beside``.
        """
        known = catalog.load(names.PARAMETERS)
        first = cell_of([wanted[0]], known)
        for name in wanted[1:]:
            beside_of(first, name, known)
        recorded = {name: recorded_cell(catalog, cell_of([name], known)) for name in wanted if "." in name}
        keys = _keys(wanted, recorded)
        self._let_go(set(keys.values()))
        if not self._cells:
            check_free(catalog, recorded[wanted[0]])
        found: dict[str, LoadedCell] = {}
        for name, key in keys.items():
            if key not in self._cells:
                one = recorded.get(name) or recorded_beside(catalog, recorded[wanted[0]], name)
                self._cells[key] = loaded(catalog, one)
            found[name] = self._cells[key]
        return found

    def _let_go(self, kept: set[Key]) -> None:
        for key in self._cells.keys() - kept:
            self._cells.pop(key).close()
        gc.collect()


def _keys(wanted: Sequence[str], recorded: Mapping[str, RecordedCell]) -> dict[str, Key]:
    """What tells each cell from others: its checkpoint and its run; of one that is not on record, the first one's."""
    keys = {name: (name, str(one.checkpoint.folder), one.run.id) for name, one in recorded.items()}
    return {name: keys.get(name, (name, *keys[wanted[0]])) for name in wanted}


def check_free(catalog: DataCatalog, recorded: RecordedCell) -> None:
    """Raise ConfigError where a CPU's memory has no room now for the weights of a cell's base model."""
    if device.kind() == "cuda":
        return  # looked at where the base is read
    folder = weights_folder(catalog, recorded.model)
    size = sum(path.stat().st_size for path in weights_of(folder).values())
    free = psutil.virtual_memory().available
    if size > free:
        raise ConfigError(
            f"model '{recorded.model.name}': its weights take {size / _GB:.1f} GB, {free / _GB:.1f} GB of memory are "
            "free now; try again when a run has ended"
        )
