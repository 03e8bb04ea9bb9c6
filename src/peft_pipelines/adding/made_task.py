"""A task made of rows and of what the user says of them, tried as a run tries it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog

from peft_pipelines.adding.new_rows import Sources
from peft_pipelines.config import ModelSpec, Parameters, TaskSpec
from peft_pipelines.data import fetch, preprocess
from peft_pipelines.data.adapt import adapt, check_raw, instruct
from peft_pipelines.data.new_task import MOST_TOKENS, ROOM, Wanted, answers_of, check_filled, row_of, spec_of
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.evaluation.metrics.registry import METRICS
from peft_pipelines.files import names
from peft_pipelines.files.screen import show_line
from peft_pipelines.models import gate
from peft_pipelines.running.metrics_fit import check_metrics
from peft_pipelines.running.units import model_folder
from peft_pipelines.storage.splits import Splits


@dataclass(frozen=True)
class MadeTask:
    """A task: the fields of its row as they are written, the row as it is read, and its examples by part.

    ``longest`` says of ``max_new_tokens`` where it comes from.
    """

    row: dict[str, Any]
    task: TaskSpec
    longest: str
    adapted: Splits
    prompts: Splits
    prompter: Prompter


def make(wanted: Wanted, sources: Sources, rows: Parameters, model: ModelSpec, prompter: Prompter) -> MadeTask:
    """Make a task.

    Args:
        wanted: what the user says.
        sources: the rows.
        rows: the other rows of the configuration: sampling and training arguments.
        model: the model whose tokens are counted.
        prompter: the format of its prompts.

    Raises:
        ConfigError: the rows do not hold what the user says, or nothing could run on them.
    """
    row = row_of(wanted, sources.rows, sources.place, sources.splits)
    draft = spec_of(wanted.name, row)
    draft.check(preprocess.FUNCTIONS, METRICS)
    check_raw(sources.rows, draft)
    check_filled(sources.rows, draft)
    texts = draft.label_words or set(answers_of(sources.rows, draft))
    tokens = max(len(prompter.encode_answer(text)) for text in texts)
    row["max_new_tokens"] = min(MOST_TOKENS, max(ROOM, tokens))
    task = spec_of(wanted.name, row)
    adapted = adapt(sources.rows, task, rows.sampling)
    check_metrics(task, adapted)
    longest = f"the longest answer has {tokens} tokens of {model.name}, with its end"
    return MadeTask(row, task, longest, adapted, instruct(adapted, task), prompter)


def prompter_of(model: ModelSpec, rows: Parameters, catalog: DataCatalog, project: Path) -> Prompter:
    """Return the format of a model's prompts; the model is downloaded where a run would do that."""
    folder = model_folder(model, catalog)
    if not (model.folder or (folder / "config.json").is_file()):
        show_line(f"fetching model '{model.name}'")
        fetch.fetch_model(model, folder, project / names.LOCK)
    return Prompter.of(model, gate.tokenizer(model, folder), rows.training.max_length)
