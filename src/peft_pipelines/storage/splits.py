"""A folder of splits: raw examples in any of three formats, or those that the pipelines write as Parquet."""

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import TablePreview
from pyarrow import csv, json, parquet

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import replacing

Splits = dict[str, pa.Table]

READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".parquet": parquet.read_table,
    ".csv": csv.read_csv,
    ".jsonl": json.read_json,
}


class RowsFolder(AbstractVersionedDataset[Splits, Splits]):
    """One file a split (``train.parquet``, ``validation.csv``, ``test.jsonl``), read as Arrow tables.

    Written as Parquet. ``hub`` says that a missing folder may be filled from the hub before a run; loading never does
    that.
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        hub: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self.hub = hub
        self.metadata = metadata

    def load(self) -> Splits:
        """Return the splits by name.

        Raises:
            ConfigError: the folder has no split, one in two formats, or a file that cannot be read.
        """
        folder = Path(self._get_load_path())
        return {path.stem: _read(path) for path in split_files(folder)}

    def save(self, data: Splits) -> None:
        """Write all splits, or none."""
        with replacing(Path(self._get_save_path())) as folder:
            folder.mkdir()
            for name, table in data.items():
                parquet.write_table(table, folder / f"{name}.parquet")

    def fingerprint(self) -> str:
        """Return a SHA-256 over the names and bytes of the files."""
        digest = hashlib.sha256()
        for path in split_files(Path(self._get_load_path())):
            digest.update(path.name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def preview(self, nrows: int = 8) -> TablePreview:
        """Return the first rows of the first split, for kedro-viz."""
        table = next(iter(self.load().values())).slice(0, nrows)
        data = [[str(value) for value in row.values()] for row in table.to_pylist()]
        return TablePreview({"index": list(range(len(data))), "columns": table.column_names, "data": data})

    def _exists(self) -> bool:
        folder = Path(self._get_load_path())
        return folder.is_dir() and bool(_files(folder))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


def split_files(folder: Path) -> list[Path]:
    """Return the split files of a folder, by name.

    Raises:
        ConfigError: there is none, or one split comes in two formats.
    """
    files = _files(folder)
    if not files:
        endings = ", ".join(f"<split>{ending}" for ending in READERS)
        raise ConfigError(f"raw rows: no rows in folder '{folder}', it must hold files named {endings}")
    names = [path.stem for path in files]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise ConfigError(f"raw rows: folder '{folder}' holds split '{double}' in two formats, keep one")
    return files


def _read(path: Path) -> pa.Table:
    """A split; an empty file is a split without rows, whatever its format.

    Raises:
        ConfigError: the file is not of the format of its ending.
    """
    if path.stat().st_size == 0:
        return pa.table({})
    try:
        return READERS[path.suffix](path)
    except pa.ArrowInvalid as error:
        raise ConfigError(
            f"raw rows: file '{path}' cannot be read as {path.suffix}: {' '.join(str(error).split())}"
        ) from None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in READERS)
