"""Files of rows to answer, and files of rows with their answers: CSV, JSON lines and Parquet, by the ending."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from peft_pipelines.config import TaskSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files.atomic import replacing, scratch_prefix, sweep_beside
from peft_pipelines.files.checksum import sha256
from peft_pipelines.serving.probabilities import probabilities
from peft_pipelines.storage.artifact import FORMATS
from peft_pipelines.storage.raw_reader import READERS, read_split
from peft_pipelines.storage.raw_text import read_jsonl

Lines = Sequence[Mapping[str, Any]]

PROBABILITY: Final = "probability_"
_NAMES: Final = {".parquet": "Parquet", ".csv": "CSV", ".jsonl": "JSON lines"}


@dataclass(frozen=True)
class Given:
    """The rows of a file, as the one reader of raw rows has them, and the SHA-256 of the file."""

    table: pa.Table
    sha256: str


def read_rows(path: Path) -> Given:
    """Return the rows of a file.

    Raises:
        ConfigError: its ending is unknown, it is not there or of another format, or it holds no row.
    """
    if path.suffix not in READERS:
        raise unknown(f"--input '{path}'", "ending", path.suffix, READERS)
    if not path.is_file():
        raise ConfigError(f"--input: must be a file, got '{path}'")
    return _filled(read_split([path]), path)


def read_lines(data: bytes) -> Given:
    """Return the rows of standard input, JSON lines; errors as for ``read_rows``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "standard input")
        path.write_bytes(data)
        try:
            return _filled(read_jsonl([path]), path)
        except ConfigError as error:  # which names the temporary file as if it were the user's
            raise ConfigError(str(error).replace(str(path), path.name)) from None


def _filled(table: pa.Table, path: Path) -> Given:
    if not table.num_rows:
        raise ConfigError(f"--input '{path}': must hold at least 1 row, got none")
    return Given(table, sha256(path))


def of_table(table: pa.Table) -> Given:
    """Return rows that stand in no file of their own; the SHA-256 is that of the rows as JSON lines."""
    return Given(table, hashlib.sha256(as_lines(table.to_pylist()).encode()).hexdigest())


def added_columns(task: TaskSpec) -> list[str]:
    """Return the names of the columns that answers add to their rows."""
    return ["prediction", *(PROBABILITY + label for label in task.label_words), "new_tokens", "stopped"]


def added(predictions: Lines, task: TaskSpec) -> list[dict[str, Any]]:
    """Return of each prediction what answers add: the text, the probability of each label, tokens, and its end.

    ``stopped`` is false where the answer was ended by its limit of tokens.
    """
    found = []
    for row in predictions:
        likely = probabilities(row["label_scores"]) if task.labels else {}
        named = {PROBABILITY + label: share for label, share in likely.items()}
        found.append(
            {
                "prediction": row["prediction"],
                **named,
                "new_tokens": row["new_tokens"],
                "stopped": row["stopped"],
            }
        )
    return found


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raise ConfigError for a file that has an unknown ending, or is there and must not be overwritten."""
    if path.suffix not in WRITERS:
        raise unknown(f"--output '{path}'", "ending", path.suffix, WRITERS)
    if path.is_dir() or (path.exists() and not overwrite):
        remedy = "" if path.is_dir() else "; --overwrite replaces it"
        raise ConfigError(f"--output: must not exist yet, got '{path}'{remedy}")


def check_columns(given: Given, task: TaskSpec) -> None:
    """Raise ConfigError for rows whose columns answers would replace."""
    for column in added_columns(task):
        if column in given.table.column_names:
            raise ConfigError(f"--input: must not have the column '{column}', which holds answers; rename it")


def check_writable(path: Path | None, given: Given) -> None:
    """Write rows where their answers will be, and remove them, so that what is in the way is told before the answers.

    Args:
        path: the output; None for standard output.
        given: the rows.

    Raises:
        ConfigError: the output's format cannot hold a value of the rows.
        OSError: the disk refuses the file.
    """
    suffix = path.suffix if path else ".jsonl"
    try:
        if path is None:
            as_lines(given.table.to_pylist())
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(suffix=".part", prefix=scratch_prefix(path), dir=path.parent) as scratch:
                WRITERS[suffix](Path(scratch, path.name), given.table, [{}] * given.table.num_rows)
    except (TypeError, ValueError, pa.ArrowException) as error:
        reason, other = " ".join(str(error).split()), ".jsonl" if suffix == ".parquet" else ".parquet"
        raise ConfigError(
            f"--output: {_NAMES[suffix]} cannot hold the input's values ({reason:.200}); write {_NAMES[other]}"
        ) from None


def as_lines(rows: Lines) -> str:
    """Return rows as JSON lines of ASCII, which each terminal and each program reads alike."""
    return "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)


def write_answers(path: Path, given: Given, answers: Lines) -> None:
    """Write rows with their answers behind them, as a whole. Texts of a CSV are no formulas of a spreadsheet."""
    sweep_beside(path)
    with replacing(path) as fresh:
        WRITERS[path.suffix](fresh, given.table, answers)


def joined(given: pa.Table, answers: Lines) -> list[dict[str, Any]]:
    """Return rows with their answers."""
    return [{**row, **answer} for row, answer in zip(given.to_pylist(), answers, strict=True)]


def _write_parquet(path: Path, given: pa.Table, answers: Lines) -> None:
    more = pa.Table.from_pylist(list(answers))
    parquet.write_table(pa.table([*given.columns, *more.columns], [*given.column_names, *more.column_names]), path)


def _write_csv(path: Path, given: pa.Table, answers: Lines) -> None:
    rows = [{name: _cell(value) for name, value in row.items()} for row in joined(given, answers)]
    FORMATS[".csv"].write(path, pd.DataFrame(rows))


def _cell(value: Any) -> Any:
    """A value as a cell of a CSV: whole numbers stay so where others are missing, lists and objects are JSON.

    Raises:
        TypeError: it is binary, or holds what JSON does not know.
    """
    if isinstance(value, bytes):
        raise TypeError("binary is no text")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, int) else value


WRITERS: Final[dict[str, Callable[[Path, pa.Table, Lines], object]]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".jsonl": lambda path, given, answers: FORMATS[".jsonl"].write(path, joined(given, answers)),
}
"""The writers by the ending of the file."""
