"""The name of each dataset of a task or cell, and each tag and argument, made here and nowhere else.

A cell's artifacts are called ``{method}.{model}-{task}-{seed}-{kind}``: Kedro reads the part before the point as the
namespace, one box a method in the picture of the pipeline. The catalog has one pattern a kind.
"""

from collections.abc import Mapping
from typing import Any, Protocol

LOCK = "conf/hub/lock.json"
"""The file with the pinned revisions of the hub, from the project's folder."""
DROPPED = "dropped.json"
"""The file of a checkpoint that says that its weights were dropped."""
METHODS_FOLDER = "methods"
"""The folder of the project's own methods, from the project's folder."""
DATA, CELL = "data.", "cell."
"""Prefixes of the tags of a task's data nodes and of a cell's nodes."""
MAJORITY, RANDOM, PROFILES = "majority", "random", "profiles"
RESERVED = (MAJORITY, RANDOM, PROFILES)
"""The pipeline's own namespaces, which stand beside those of the methods."""
PARAMETERS, FIXED = "parameters", "params:"
"""The dataset of the whole configuration, and the prefix of the datasets of its parts."""

LIVE, WORKSPACE = "peft_model@live", "peft_model@workspace"
CHECKPOINT, PREDICTIONS, GENERATION, METRICS = "checkpoint", "predictions", "generation", "metrics"
KINDS = (CHECKPOINT, PREDICTIONS, GENERATION, METRICS)
"""The artifacts of a cell that stay on disk, in the order in which they are made."""

RUNS = "runs"
TRACKERS = "trackers"
"""The folder in which trackers keep what they were told."""
DATA_REPORT, DATA_REPORT_TEXT = "data_report", "data_report_text"
COMPARISONS, DIFFERENCES, RANKS, SUMMARY = "comparisons", "differences", "ranks", "summary"
OTHERS = "other_comparisons"
RESULTS, RESULTS_CSV, RESULTS_TABLE, RESULTS_LATEX = "results", "results_csv", "results_table", "results_latex"
RANK_PLOT, SCORE_PLOT, COST_PLOT = "rank_plot", "score_plot", "cost_plot"
CURVE_PLOT, LR_SEARCH_PLOT = "curve_plot", "lr_search_plot"
REPORT_PAGE = "report_page"
FAILED_PARTS = "failed_parts"
"""The parts of the report that failed: the runner writes it, and the nodes that name them read it last."""


class CellNames(Protocol):
    """The names of a cell, one from each axis."""

    @property
    def method(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def seed(self) -> str: ...


def parameter(*keys: str) -> str:
    """The dataset of one entry of the configuration.

    >>> parameter("tasks", "sst2"), parameter("training")
    ('params:tasks.sst2', 'params:training')
    """
    return FIXED + ".".join(keys)


def is_parameter(name: str) -> bool:
    """Whether a dataset is the configuration or a part of it.

    >>> is_parameter("params:training"), is_parameter("sst2_raw")
    (True, False)
    """
    return name == PARAMETERS or name.startswith(FIXED)


def raw(task: str) -> str:
    """The dataset of a task's raw examples."""
    return f"{task}_raw"


def adapted(task: str) -> str:
    """The dataset of a task's examples as input and references."""
    return f"{task}_adapted"


def prompts(task: str) -> str:
    """The dataset of a task's examples behind its instruction."""
    return f"{task}_prompts"


def profile(task: str) -> str:
    """The dataset of a task's part of the data report."""
    return f"{PROFILES}.{task}-profile"


def weights(model: str) -> str:
    """The dataset of the folder of a model that was downloaded."""
    return f"{model}_weights"


def artifact(cell: CellNames, kind: str) -> str:
    """The dataset of one artifact of a cell.

    >>> from peft_pipelines.config import Cell
    >>> artifact(Cell(method="lora", model="tiny", task="sst2", seed="s0"), METRICS)
    'lora.tiny-sst2-s0-metrics'
    """
    return f"{cell.method}.{cell_node(cell, kind)}"


def cell_node(cell: CellNames, step: str) -> str:
    """A node of a cell, without its namespace."""
    return f"{cell.model}-{cell.task}-{cell.seed}-{step}"


def task_node(task: str, step: str) -> str:
    """A node of a task."""
    return f"{task}-{step}"


def results(method: str) -> str:
    """The dataset of a method's results, or of a baseline's that asks no model: one row a cell."""
    return f"{method}_results"


def details(method: str) -> str:
    """The dataset of the details of a method's cells on the report page."""
    return f"{method}_details"


def answers(method: str) -> str:
    """The dataset of the answers of a method's cells, as the comparisons read them."""
    return f"{method}_answers"


def scores(baseline: str, task: str) -> str:
    """The dataset of the scores of a baseline that asks no model."""
    return f"{baseline}.{task_node(task, 'scores')}"


def data_tag(task: str) -> str:
    """The tag of the nodes that make a task's data."""
    return DATA + task


def cell_tag(cell: str) -> str:
    """The tag of a cell's nodes, by the cell's id."""
    return CELL + cell


def cell_id(*names: str) -> str:
    """A cell's id from method, model, task and seed; without the method, its name among the method's cells.

    >>> cell_id("lora", "tiny", "sst2", "s0"), cell_id("tiny", "sst2", "s0")
    ('lora.tiny.sst2.s0', 'tiny.sst2.s0')
    """
    return ".".join(names)


def argument(kind: str, name: str) -> str:
    """The argument by which a node that takes several datasets of a kind is given one of them.

    >>> argument("task", "sst2")
    'task.sst2'
    """
    return f"{kind}.{name}"


def arguments(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The arguments of one kind, by the name that ``argument`` made them of.

    >>> arguments({"rows.a": 1, "spec.a": 2}, "spec")
    {'a': 2}
    """
    return {name.partition(".")[2]: value for name, value in given.items() if name.startswith(argument(kind, ""))}
