"""The files of a new task's rows: where they are read from, and copies of those that no path from the project names."""

import csv
import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.parsing import parse
from peft_pipelines.config.split_names import Splits as SplitNames
from peft_pipelines.storage.raw_files import ENDINGS, ONE_FILE, shown_splits, split_files
from peft_pipelines.storage.raw_reader import read_split
from peft_pipelines.storage.raw_text import read_csv
from peft_pipelines.storage.splits import Splits

OWN_ROWS: Final = "data/01_raw"
"""The folder of the project in which copies of rows get a folder."""
TRAIN, VALIDATION, TEST = "train", "validation", "test"
SHARE: Final = 0.2
"""The share of rows to test with, unless it is given."""
_SEPARATORS: Final = (";", "\t", "|")


@dataclass(frozen=True)
class RowFiles:
    """The files of a new task's rows, as the user gives them.

    Attributes:
        train: a file of rows (.csv, .jsonl, .parquet), or a folder with a file for each split.
        test: a file of rows to test with; None to cut them off.
        validation: a file of rows to validate with; None to cut them off.
        test_share: the share of rows to test with, where no split is for that; None for ``SHARE``.
        separator: what parts the cells of CSV files; None for a comma.
    """

    train: Path
    test: Path | None = None
    validation: Path | None = None
    test_share: float | None = None
    separator: str | None = None

    def __post_init__(self) -> None:
        sign = self.separator
        if sign is not None and (len(sign) != 1 or sign in '"\r\n' or sign.isalnum()):
            raise ConfigError(f"--sep: must be one character that is no letter, digit or quote, or '\\t', got '{sign}'")

    @property
    def alone(self) -> bool:
        """Whether there is one path alone."""
        return self.test is None and self.validation is None


@dataclass(frozen=True)
class Sources:
    """The rows of a new task.

    Attributes:
        rows: by raw split.
        place: the ``raw`` of the task's row, from the project's folder.
        splits: the raw splits to use.
        copied: by name in ``place`` the file to copy or the text to write; empty where rows stay where they are.
    """

    rows: Splits
    place: str
    splits: SplitNames
    copied: Mapping[str, Path | str]

    def write(self, folder: Path) -> None:
        """Write the copies into a folder."""
        for name, source in self.copied.items():
            if isinstance(source, str):
                (folder / name).write_text(source, encoding="utf-8", newline="")
            elif source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                shutil.copyfile(source, folder / name)


def sources_of(name: str, given: RowFiles, project: Path) -> Sources:
    """Return the rows of files.

    Args:
        name: the task's name.
        given: the files.
        project: the project's folder.

    Raises:
        ConfigError: a file cannot be read, or options contradict each other.
    """
    found = _found(given)
    tables = {split: table_of(path, given.separator) for split, path in found.items()}
    if TEST in tables and given.test_share is not None:
        raise ConfigError("--test-share: must be left out where there are rows to test with")
    share = None if TEST in tables else SHARE if given.test_share is None else given.test_share
    used = {split: split for split in (TRAIN, TEST, VALIDATION) if split in tables}
    splits = parse(SplitNames, "--test-share", {**used, "test_share": share})
    rows = {split: tables[split] for split in splits.names}
    for split, table in rows.items():
        if not table.num_rows:
            raise ConfigError(f"FILE: '{found[split]}' has no rows")
    path = Path(os.path.abspath(given.train))
    if given.separator is None and given.alone and project in path.parents:
        return Sources(rows, path.relative_to(project).as_posix(), splits, {})
    copied = {
        f"{split}.csv" if given.separator else f"{split}{found[split].suffix}": _csv(rows[split])
        if given.separator
        else found[split]
        for split in rows
    }
    return Sources(rows, f"{OWN_ROWS}/{name}", splits, copied)


def _found(given: RowFiles) -> dict[str, Path]:
    """By split its file or folder of part files."""
    folder = given.train
    if not folder.is_dir() or folder.suffix in ENDINGS:
        files = {TRAIN: folder, VALIDATION: given.validation, TEST: given.test}
        return {split: path for split, path in files.items() if path}
    if not given.alone:
        raise ConfigError(f"FILE: '{folder}' is a folder of splits; --test and --validation stand beside a file alone")
    split_files(folder)  # refuses what is no folder of splits
    found = {path.stem: path for path in shown_splits(folder)}
    if TRAIN not in found:
        raise ConfigError(f"FILE: folder '{folder}' has no split '{TRAIN}', got {', '.join(found)}")
    other = next((name for name in found if name not in (TRAIN, VALIDATION, TEST)), None)
    if other:
        raise ConfigError(
            f"FILE: folder '{folder}' has a split '{other}', which nothing would use. Allowed: {TRAIN}, {VALIDATION}, "
            f"{TEST}; files of other names are given one by one, with --{VALIDATION} and --{TEST}"
        )
    return found


def table_of(path: Path, separator: str | None = None) -> pa.Table:
    """Return the rows of a file: those of CSV are all text, whose cells a comma parts unless it is another sign.

    Raises:
        ConfigError: the file is not there, or cannot be read as what its ending says.
    """
    if not path.exists():
        raise ConfigError(f"FILE: '{path}' is not there; a file ({', '.join(ENDINGS)}) or a folder of splits is needed")
    if separator:
        return read_csv([path], separator)
    if path.suffix not in ENDINGS:
        raise ConfigError(
            f"FILE: '{path}' must end in {', '.join(ENDINGS)}, got '{path.suffix}'; text in columns is read with --sep"
        )
    table = read_split(split_files(path)[ONE_FILE])
    (first, *others) = table.column_names or [""]
    guess = next((sign for sign in _SEPARATORS if sign in first), None)
    if guess and not others and path.suffix == ".csv":
        raise ConfigError(f"FILE: '{path}' has a single column, '{first:.80}'; is it --sep {guess!r}?")
    return table


def _csv(table: pa.Table) -> str:
    """A table of text as a CSV file with commas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([table.column_names, *(list(row.values()) for row in table.to_pylist())])
    return text.getvalue()
