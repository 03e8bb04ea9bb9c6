"""A cell as a model: texts or rows in, answers out."""

# ruff: noqa: PLC0415  (what answers loads torch: the names of this module are imported before it is needed)

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from peft_pipelines.api.arguments import check
from peft_pipelines.api.opened_project import catalog_of, paths, project_of
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.unanswered import input_columns
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
            ConfigError: a column is missing or empty, or a text stands for several columns.
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
        """Drop the method; the base model stays in memory for other cells."""
        self.loaded.close()


def rows_of(given: "pd.DataFrame | Iterable[Row]") -> list[Row]:
    """Return texts, dictionaries or a data frame as a list of texts and rows; a missing value is None.

    Raises:
        ConfigError: one text alone is given, or what is neither a text nor a row.

    >>> rows_of(("fun", {"sentence": "dull"}))
    ['fun', {'sentence': 'dull'}]
    >>> rows_of("fun")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: rows: must be a list of texts, a list of rows or a data frame, got 'fun'
    """
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        known = given.astype(object).where(given.notna(), None)
        return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"rows: must be a list of texts, a list of rows or a data frame, got {given!r:.80}")
    found = list(given)
    for number, row in enumerate(found, 1):
        if not isinstance(row, str | Mapping):
            raise ConfigError(f"rows, row {number}: must be a text or a dictionary, got {row!r:.80}")
    return found


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
