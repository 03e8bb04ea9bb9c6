"""The one reader of raw rows: a split out of its files, whatever their format, or an error of one line."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage.raw_files import unreadable
from peft_pipelines.storage.raw_text import read_csv, read_jsonl


def read_split(files: Sequence[Path]) -> pa.Table:
    """Return the rows of a split: of its one file, or of its part files behind each other.

    Text is the text of the file: nothing is taken for a number, a date or a truth value that the file does not declare
    as one. A file of no bytes has no rows, whatever its format.

    Raises:
        ConfigError: a file is not of the format of its ending, or cannot be read.
    """
    try:
        filled = [path for path in files if path.stat().st_size]
        return READERS[files[0].suffix](filled) if filled else pa.table({})
    except OSError as error:
        raise unreadable(Path(error.filename or files[0]), error) from None


def read_parquet(paths: Sequence[Path]) -> pa.Table:
    """Return the rows of Parquet files that have the same columns.

    Raises:
        ConfigError: a file is damaged, holds text that is not UTF-8 or two columns of one name, or part files differ.
    """
    tables = [_one_parquet(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table.column_names != tables[0].column_names:
            raise ConfigError(
                f"raw rows: file '{path}' has columns {table.column_names}, but '{paths[0]}' has "
                f"{tables[0].column_names}"
            )
    try:
        return pa.concat_tables(tables, promote_options="default")  # a column of nulls alone fits any type
    except pa.ArrowException as error:
        raise ConfigError(f"raw rows: part files of '{paths[0].parent}' differ: {_line(error)}") from None


def _one_parquet(path: Path) -> pa.Table:
    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            table = _decoded(file.read())
        table.validate(full=True)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:  # what pyarrow raises for damaged bytes
        raise ConfigError(f"raw rows: file '{path}' cannot be read as Parquet: {_line(error)}") from None
    names = table.column_names
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ConfigError(f"raw rows: file '{path}': two columns are named '{double}'")
    return table


def _decoded(table: pa.Table) -> pa.Table:
    """The table with plain columns in place of those with a dictionary, such as pandas' categories."""
    plain = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(plain, table.column_names)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


READERS: dict[str, Callable[[Sequence[Path]], pa.Table]] = {
    ".parquet": read_parquet,
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".json": read_jsonl,
}
"""The readers by the ending of a split's files."""
