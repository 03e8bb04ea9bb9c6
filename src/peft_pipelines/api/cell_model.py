"""A cell as a model: texts or rows in, answers out."""

# ruff: noqa: PLC0415  (what answers loads torch: the names of this module are imported before it is needed)

import os
from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from peft_pipelines.api.arguments import check
from peft_pipelines.api.opened_project import catalog_of, paths, project_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.unanswered import input_columns
from peft_pipelines.files.escape import is_half
from peft_pipelines.running import threads

if TYPE_CHECKING:
    import pandas as pd

    from peft_pipelines.serving.loaded_cell import LoadedCell

Row = str | Mapping[str, Any]


class CellModel:
    """What a cell has trained, ready to answer: by the prompts, the limits and the checkpoint of its scores.

    Attributes:
        loaded: the cell behind it, which also streams answers and holds conversations.
    """

    def __init__(self, loaded: "LoadedCell") -> None:
        self.loaded = loaded

    @property
    def id(self) -> str:
        """``METHOD.MODEL.TASK.SEED``."""
        return self.loaded.id

    @property
    def columns(self) -> list[str]:
        """The columns that a row needs; where there is one, a text may stand for the row."""
        return input_columns(self.loaded.recorded.task)

    @property
    def labels(self) -> list[str]:
        """The words of the task's labels, none where answers are free text."""
        return list(self.loaded.recorded.task.label_words)

    def predict(self, rows: "pd.DataFrame | Iterable[Row]") -> list[str]:
        """Return the answer to each row, as the model writes it.

        Args:
            rows: texts, dictionaries with the columns that the task's row names, or a data frame with them.

        Raises:
            ConfigError: a column is missing or empty, a text stands for several columns, or the cell is closed.
        """
        return [line["prediction"] for line in self._answered(rows)]

    def answers(self, rows: "pd.DataFrame | Iterable[Row]") -> "pd.DataFrame":
        """Return the answers with all that is known of them, under the index of the rows where they have one.

        The columns are those that ``kedro predict`` adds: ``prediction``, of a task with labels the probability of each
        (``probability_positive``, ...), ``new_tokens``, and ``stopped``: false where the answer was cut off.

        Args:
            rows: as for ``predict``.
        """
        import pandas as pd

        from peft_pipelines.serving.answer_files import added, added_columns

        task = self.loaded.recorded.task
        index = rows.index if isinstance(rows, pd.DataFrame | pd.Series) else None
        return pd.DataFrame(added(self._answered(rows), task), columns=added_columns(task), index=index)

    def _answered(self, rows: "pd.DataFrame | Iterable[Row]") -> list[dict[str, Any]]:
        with threads.limited():  # those of scoring, so that the last bits are
            return self.loaded.predict(rows_of(rows))

    def close(self) -> None:
        """Drop the method, so that the cell answers no more; the base model stays in memory for other cells."""
        self.loaded.close()


def rows_of(given: "pd.DataFrame | Iterable[Row]") -> list[Row]:
    """Return texts, dictionaries or a data frame as a list of texts and rows; a missing value is None.

    Raises:
        ConfigError: one text alone is given, a set, what is neither a text nor a row, or two columns of one name.

    >>> rows_of(("fun", {"sentence": "dull"}))
    ['fun', {'sentence': 'dull'}]
    >>> rows_of("fun")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: rows: must be a list of texts, a list of rows or a data frame, got 'fun'
    """
    import pandas as pd

    rows = _records(given) if isinstance(given, pd.DataFrame) else given
    if isinstance(rows, str | Mapping | Set) or not isinstance(rows, Iterable):
        raise ConfigError(f"rows: must be a list of texts, a list of rows or a data frame, got {rows!r:.80}")
    return [_row(row, f"rows, row {number}") for number, row in enumerate(rows, 1)]


def _records(frame: "pd.DataFrame") -> list[Any]:
    columns = [str(name) for name in frame.columns]
    if twice := next((name for name in columns if columns.count(name) > 1), None):
        raise ConfigError(f"rows: must have each column once, got '{twice:.80}' twice")
    known = frame.astype(object).where(frame.notna(), None)
    return list(known.set_axis(columns, axis=1).to_dict("records"))


def _row(given: Any, where: str) -> Row:
    if not isinstance(given, str | Mapping):
        raise ConfigError(f"{where}: must be a text or a dictionary, got {given!r:.80}")
    row: Row = _plain(given, where)
    return row


def _plain(value: Any, where: str) -> Any:
    """A value as Python has it: numbers of numpy as its own, arrays as lists, such as those of a Parquet file."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(one, where) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, where) for one in value]
    if isinstance(value, str) and is_half(value):
        raise ConfigError(f"{where}: half a surrogate pair is no text, got {value!r:.80}")
    return value


def load(
    cell: str,
    *,
    env: str | None = None,
    project: str | os.PathLike[str] | None = None,
    store: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
) -> CellModel:
    """Return what a cell has trained, ready to answer. Cells on one base model share its weights.

    Args:
        cell: ``METHOD.MODEL.TASK.SEED``.
        env: the environment of its run, None for the default one.
        project: the project's folder; None for the one around the current folder.
        store: the folder that the run wrote into; None for the environment's own.
        run_id: the run as whose version it answers; None for the version on record now.

    Raises:
        ConfigError: the cell is unknown, failed or not made, its files are not those on record, or an argument is not
            as it must be.
    """
    check(cell=cell, env=env, project=project, store=store, run_id=run_id)
    from peft_pipelines.serving.loading import load_cell

    with catalog_of(project_of(project), env, paths(store=store)) as catalog:
        return CellModel(load_cell(catalog, cell, run_id))
