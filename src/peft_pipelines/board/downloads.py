"""The files of a store that the board hands out: the report and its tables, by names from a list, never by a path."""

from pathlib import Path
from typing import Final

from peft_pipelines.board.store_lines import inside
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.running.units import place
from peft_pipelines.tracking.store_places import Store

TABLES: Final = {
    "results.csv": (names.RESULTS_CSV, "text/csv; charset=utf-8"),
    "results.md": (names.RESULTS_TABLE, "text/markdown; charset=utf-8"),
    "results.tex": (names.RESULTS_LATEX, "text/plain; charset=utf-8"),
    "differences.csv": (names.DIFFERENCES, "text/csv; charset=utf-8"),
    "data_report.md": (names.DATA_REPORT_TEXT, "text/markdown; charset=utf-8"),
    "report.html": (names.REPORT_PAGE, "text/html; charset=utf-8"),
}
"""By the name of a download the dataset of the catalog, and its kind for the browser."""
MOST_BYTES: Final = 2**28


def download(store: Store, name: str) -> Path:
    """Return the path of a file to hand out.

    Args:
        store: the store.
        name: one of ``TABLES``.

    Raises:
        ConfigError: the name is none of these, or the file is not there, leads out of the store or is very large.
    """
    if name not in TABLES:
        raise unknown("download", "file", name, TABLES)
    path = place(store.catalog, TABLES[name][0])
    if path is None or not inside(store.report, path):
        raise ConfigError(f"{name}: is not in this store; `kedro run` writes it with the report")
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"{name}: has more than {MOST_BYTES // 2**20} MB; look at it in the store")
    return path


def there(store: Store) -> list[str]:
    """Return the names of the downloads that a store has."""
    known = {name: place(store.catalog, dataset) for name, (dataset, _) in TABLES.items()}
    return [name for name, path in known.items() if path is not None and inside(store.report, path)]
