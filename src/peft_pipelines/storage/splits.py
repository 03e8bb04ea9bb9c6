"""A folder of splits: raw examples in any of three formats, or those that the pipelines write as Parquet."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import TablePreview
from pyarrow import parquet

from peft_pipelines.files.atomic import replacing
from peft_pipelines.files.checksum import sha256
from peft_pipelines.storage.raw_files import files_of_splits, shown_splits, split_files, unreadable
from peft_pipelines.storage.raw_reader import read_split

Splits = dict[str, pa.Table]


class RowsFolder(AbstractVersionedDataset[Splits, Splits]):
    """One file a split (``train.parquet``, ``validation.csv``, ``test.jsonl``) or a folder of part files of that name.

    Where the path is that of a file, such as ``tickets.csv``, it is the split ``train``.

    Read as Arrow tables, written as Parquet. ``hub`` says that a missing folder may be filled from the hub before a
    run; loading never does that.
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
            ConfigError: the folder has no split, one in two formats, or a file that cannot be read as what it says.
        """
        files = split_files(Path(self._get_load_path()))
        return {name: read_split(paths) for name, paths in files.items()}

    def save(self, data: Splits) -> None:
        """Write all splits, or none."""
        with replacing(Path(self._get_save_path())) as folder:
            folder.mkdir()
            for name, table in data.items():
                parquet.write_table(table, folder / f"{name}.parquet")

    def fingerprint(self) -> str:
        """Return a SHA-256 over the names and bytes of the files that loading reads."""
        digest, folder = hashlib.sha256(), Path(self._get_load_path())
        for path in files_of_splits(folder):
            digest.update(path.relative_to(folder).as_posix().encode())
            try:
                digest.update(bytes.fromhex(sha256(path)))
            except OSError as error:
                raise unreadable(path, error) from None
        return digest.hexdigest()

    def preview(self, nrows: int = 8) -> TablePreview:
        """Return the first rows of the first split, for kedro-viz."""
        table = next(iter(self.load().values())).slice(0, nrows)
        data = [[str(value) for value in row.values()] for row in table.to_pylist()]
        return TablePreview({"index": list(range(len(data))), "columns": table.column_names, "data": data})

    def _exists(self) -> bool:
        return bool(shown_splits(Path(self._get_load_path())))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}
