"""What the page Grid says of a task's raw rows: how many there are, as far as large files tell."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage.raw_files import split_files
from peft_pipelines.storage.raw_reader import read_split

MOST_BYTES: Final = 32 * 2**20
"""Of a file whose rows are counted by reading it; Parquet tells its number."""


def facts(task: TaskSpec, place: Path) -> str:
    """Return in words how many rows a task has.

    Args:
        task: the row.
        place: the file or folder of its raw rows, which need not be there.
    """
    if not place.exists():
        return "its rows come from the hub" if task.source else "its rows are not on this machine"
    try:
        if place.is_file():
            return f"{_counted([place])} rows"
        found = split_files(place)
        roles = {"train": task.splits.train, "validate": task.splits.validation, "test": task.splits.test}
        counts = {role: _counted(found[split]) for role, split in roles.items() if split in found}
    except (ConfigError, OSError, ArrowException) as error:
        return f"its rows cannot be read: {error}"
    return ", ".join(f"{count} rows to {role}" for role, count in counts.items())


def _counted(files: list[Path]) -> str:
    stats = [(path, path.stat()) for path in files]
    counts = [_rows(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    if None in counts:
        return f"{sum(stat.st_size for _, stat in stats) / 1e6:,.0f} MB of"
    return f"{sum(count or 0 for count in counts):,}"


@lru_cache(maxsize=1024)
def _rows(path: Path, size: int, _changed: int) -> int | None:
    """The rows of a file; None where it would have to be read and is large."""
    if path.suffix == ".parquet":
        with ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    return None if size > MOST_BYTES else int(read_split([path]).num_rows)
