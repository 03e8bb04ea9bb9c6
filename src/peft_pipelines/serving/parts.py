"""The parts of a prediction that are done, on disk until the last one is: a prediction that was killed goes on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json, remove_folder, replacing, sweep_beside, write_json
from peft_pipelines.storage.artifact import FORMATS

ROWS: Final = 256
"""Rows of a part: they are answered together, so that a prediction in several goes is the one in a single go."""
PLAN: Final = "plan.json"

Lines = list[dict[str, Any]]


class Parts:
    """The parts of a prediction, each a file that is there as a whole or not at all.

    Args:
        folder: where they lie; the first that is kept makes it.
        plan: what decides the answers; parts of another plan are not taken.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self._folder, self._plan = folder, dict(plan)

    @classmethod
    def beside(cls, output: Path, plan: Mapping[str, Any]) -> "Parts":
        """Return the parts of a file that is to be written: they lie beside it, in a folder named after it."""
        return cls(output.with_name(f".{output.name}.parts"), plan)

    def begin(self, *, overwrite: bool) -> None:
        """Take the parts that are there, where they are of the same plan; with ``overwrite`` others are removed.

        Raises:
            ConfigError: parts of another plan are there.
        """
        sweep_beside(self._folder)
        if not self._folder.exists():
            return
        if self._known() != self._plan:
            if not overwrite:
                raise ConfigError(
                    f"--output: '{self._folder}' holds parts of a prediction with another cell or input; "
                    "--overwrite begins anew"
                )
            remove_folder(self._folder)

    def _known(self) -> Any:
        try:
            return read_json(self._folder / PLAN)
        except (OSError, ValueError):
            return None

    def load(self, number: int) -> Lines | None:
        """Return a part by its number; None where it is not done."""
        path = self._path(number)
        return FORMATS[path.suffix].read(path) if path.is_file() else None

    def keep(self, number: int, lines: Lines) -> None:
        """Keep a part."""
        if not (self._folder / PLAN).is_file():
            write_json(self._folder / PLAN, self._plan)
        path = self._path(number)
        with replacing(path) as fresh:
            FORMATS[path.suffix].write(fresh, lines)

    def remove(self) -> None:
        """Remove all parts."""
        remove_folder(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.jsonl"


def numbered(lines: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the lines of each part with its number.

    >>> [(number, len(part)) for number, part in numbered([0] * 600)]
    [(0, 256), (1, 256), (2, 88)]
    """
    for number, first in enumerate(range(0, len(lines), ROWS)):
        yield number, lines[first : first + ROWS]
