"""Rows out of files of text, CSV and JSON lines: each value is what stands in the file, no types are guessed."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import pyarrow as pa

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.strict_json import each_once, no_number
from peft_pipelines.storage.raw_columns import Literal, Place, at, column_of

Record = dict[str, Any]

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_csv(paths: Sequence[Path], delimiter: str = ",") -> pa.Table:
    """Return the rows of CSV files (RFC 4180): all columns are text, an empty cell is an empty text.

    The first line names the columns; empty lines are passed over. A first column without a name, as pandas writes its
    index, is left out.

    Raises:
        ConfigError: a file is not UTF-8, a quote is not closed, a row has more or fewer cells than the header, a column
            has no name or that of another, or part files have different headers.
    """
    header: list[str] = []
    cells: list[list[str]] = []
    for path in paths:
        records = _csv_records(path, delimiter)
        names = _header(next(records, []), path)
        if header and names and names != header:
            raise ConfigError(f"raw rows: file '{path}' has columns {names}, but '{paths[0]}' has {header}")
        header = header or names
        cells += records
    columns = list(zip(*cells, strict=True)) or [()] * len(header)
    named = zip(header, columns, strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in named if name})


def read_jsonl(paths: Sequence[Path]) -> pa.Table:
    """Return the rows of files with one JSON object a line: a text stays one, a missing field is null.

    Numbers are kept as numbers where they write back as they stand in the file, otherwise as text, such as ``1.50``.

    Raises:
        ConfigError: a file is not UTF-8, a line is no JSON object or names a field twice, or a field has values of
            different kinds.
    """
    rows = [row for path in paths for row in _json_records(path)]
    names = dict.fromkeys(name for _, record in rows for name in record)
    places = [place for place, _ in rows]
    return pa.table({name: column_of(name, [row.get(name) for _, row in rows], places) for name in names})


def decoded(path: Path) -> str:
    """Return the text of a file without its byte order mark.

    Raises:
        ConfigError: the file is not UTF-8 or holds a NUL byte, with the offset of the first such byte.
    """
    data = path.read_bytes()
    if data.startswith(_UTF16):
        raise ConfigError(f"raw rows: file '{path}', byte 0: not UTF-8 but UTF-16, save it as UTF-8")
    if b"\0" in data:
        raise ConfigError(f"raw rows: file '{path}', byte {data.index(0)}: not UTF-8 text but a NUL byte")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"raw rows: file '{path}', byte {error.start} (line {line}): not UTF-8: 0x{data[error.start]:02x}, "
            "save it as UTF-8"
        ) from None


def _csv_records(path: Path, delimiter: str) -> Iterator[list[str]]:
    """The lists of cells of a file, all as long as the first."""
    text = decoded(path)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # 131072 characters unless told otherwise
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    line, wide = 1, 0
    try:
        for record in reader:
            wide = wide or len(record)
            if record and len(record) != wide:
                raise ConfigError(f"raw rows: file '{path}', line {line}: expected {wide} columns, got {len(record)}")
            if record:
                yield record
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"raw rows: file '{path}', line {line}: cannot be read as CSV: {_reason(error)}") from None


def _reason(error: csv.Error) -> str:
    return "a quote is not closed" if "unexpected end of data" in str(error) else str(error)


def _header(names: list[str], path: Path) -> list[str]:
    for number, name in enumerate(names, 1):
        if not name.strip() and number > 1:
            raise ConfigError(f"raw rows: file '{path}', line 1: column {number} has no name")
        if names.index(name) < number - 1:
            raise ConfigError(f"raw rows: file '{path}', line 1: two columns are named '{name}'")
    return [name if name.strip() else "" for name in names]


def _json_records(path: Path) -> Iterator[tuple[Place, Record]]:
    """The objects of a file, each with its place."""
    for number, line in enumerate(decoded(path).split("\n"), 1):  # other ends of lines may stand inside a text
        if line and not line.isspace():
            yield (path, number), _json_object(line, (path, number))


def _json_object(line: str, place: Place) -> Record:
    try:
        value = _DECODER.decode(line.strip())
        if "\\ud" in line.lower():  # only an escape can give half a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ConfigError(f"{at(place)}, column {error.colno}: not JSON: {error.msg}, got {_shown(line)}") from None
    except UnicodeEncodeError:
        raise ConfigError(f"{at(place)}: half a surrogate pair is no text, got {_shown(line)}") from None
    except RecursionError:
        raise ConfigError(f"{at(place)}: lists or objects too deep inside each other, got {_shown(line)}") from None
    except ValueError as error:
        raise ConfigError(f"{at(place)}: {error}, got {_shown(line)}") from None
    if not isinstance(value, dict):
        raise ConfigError(f'{at(place)}: each line must be a JSON object, {{"column": value}}, got {_shown(line)}')
    return value


def _shown(line: str) -> str:
    return shorten(line, width=60, placeholder=" …")


_DECODER = json.JSONDecoder(parse_float=Literal, parse_constant=no_number, object_pairs_hook=each_once)
