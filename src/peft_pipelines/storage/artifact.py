"""Single files of the catalog (tables, rows, numbers) behind one class: the ending chooses the format."""

# ruff: noqa: PLC0415  (pandas takes longer to import than all else here, and most of the files are no tables)

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractVersionedDataset, Version
from kedro_datasets._typing import TablePreview

from peft_pipelines.config.errors import unknown
from peft_pipelines.files.atomic import read_json, replacing, write_json
from peft_pipelines.files.escape import for_csv, for_terminal

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Format:
    """The functions that write and read one kind of file."""

    write: Callable[[Path, Any], object]
    read: Callable[[Path], Any]


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _read_lines(path: Path) -> list[dict[str, Any]]:
    # str.splitlines would also cut at separators such as U+2028, which JSON leaves as they are inside a text
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def _read_parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(path)


def _read_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(path)


def _write_csv(path: Path, frame: "pd.DataFrame") -> None:
    """Write a table for people: its names and texts are no formulas of a spreadsheet. Parquet holds them unchanged."""
    frame.rename(columns=for_csv).map(for_csv).to_csv(path, index=False)


def _write_text(path: Path, text: str) -> None:
    path.write_text(for_terminal(text, keep="\n"), encoding="utf-8")


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


FORMATS = {
    ".parquet": Format(lambda path, frame: frame.to_parquet(path, index=False), _read_parquet),
    ".csv": Format(_write_csv, _read_csv),
    ".json": Format(write_json, read_json),
    ".jsonl": Format(_write_lines, _read_lines),
    **dict.fromkeys((".md", ".tex"), Format(_write_text, _read_text)),
    ".html": Format(lambda path, text: path.write_text(text, encoding="utf-8"), _read_text),
}


class Artifact(AbstractVersionedDataset[Any, Any]):
    """A data frame (.parquet, .csv), a JSON value (.json), a list of rows (.jsonl) or a text (.md, .tex, .html).

    Args:
        filepath: the file; its ending is one of ``FORMATS``.
        optional: a missing file is loaded as None.
        otherwise: the name of a file of the same format in the same folder, loaded where it is missing.
    """

    def __init__(
        self,
        *,
        filepath: str,
        optional: bool = False,
        otherwise: str | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(PurePosixPath(filepath), version)
        self.metadata = metadata
        self.optional, self._otherwise = optional, otherwise
        if self._filepath.suffix not in FORMATS:
            raise unknown(f"catalog, file '{filepath}'", "ending", self._filepath.suffix, FORMATS)

    @property
    def _format(self) -> Format:
        return FORMATS[self._filepath.suffix]

    def load(self) -> Any:
        """Return the content of the file; where it is missing that of the other one, or None if it is optional."""
        path = Path(self._get_load_path())
        other = path.with_name(self._otherwise or path.name)
        if self.optional and not path.is_file() and not other.is_file():
            return None
        return self._format.read(path if path.is_file() else other)

    def save(self, data: Any) -> None:
        """Write the file atomically: a failure leaves the old one."""
        with replacing(Path(self._get_save_path())) as fresh:
            self._format.write(fresh, data)

    def preview(self, nrows: int = 100) -> TablePreview:
        """Return the first rows as a table, for kedro-viz; a single JSON value is one row."""
        import pandas as pd

        data = self.load()
        frame = data if isinstance(data, pd.DataFrame) else pd.json_normalize(data)
        first = frame.head(nrows).astype(object)
        shown = first.where(first.notna(), "")
        return TablePreview(json.loads(shown.to_json(orient="split", double_precision=4)))

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}
