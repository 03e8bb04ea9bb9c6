"""The raw rows that a run draws, tried before it begins: a fault of any of them is told before a model loads."""

from typing import Final

from kedro.io import DataCatalog

from peft_pipelines.config import SamplingSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt
from peft_pipelines.files import names
from peft_pipelines.files.user_cache import worked_out
from peft_pipelines.running.fingerprint import constants, digest
from peft_pipelines.running.metrics_fit import check_metrics
from peft_pipelines.running.stages import ANY
from peft_pipelines.storage.splits import RowsFolder

SOUND: Final = "sound_rows.json"
"""The file of the user's cache folder that keeps which rows have passed."""
PLACES: Final = "a folder with a file a split, or a file (.parquet, .csv, .jsonl), from the project's folder"


def check_rows(task: TaskSpec, sampling: SamplingSpec, catalog: DataCatalog) -> None:
    """Adapt the rows that are drawn, and try the task's metrics on their right answers.

    What has passed is not tried again on this machine until the rows, the task, the sampling, our code or a library
    change: to adapt takes 16 to 111 microseconds a row (docs/speed.md).

    Raises:
        ConfigError: a row, or a metric that cannot read the right answers.
    """
    name = names.raw(task.name)
    rows = catalog.get(name)
    if task.raw and isinstance(rows, RowsFolder) and not rows.exists():
        raise ConfigError(f"task '{task.name}', raw: '{task.raw}' is not there; {PLACES} is allowed")
    stored = rows.fingerprint() if isinstance(rows, RowsFolder) else ""  # what is in memory is tried each time

    def tried() -> str:
        check_metrics(task, adapt(catalog.load(name), task, sampling))
        return "sound"

    code = [constants(ANY, function) for function in (adapt, check_metrics)]
    key = digest([stored, task, sampling, *code])
    if stored:
        worked_out(SOUND, key, tried)
    else:
        tried()
