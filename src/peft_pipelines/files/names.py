"""The name of each dataset, tag and folder of the project, made here and nowhere else.

A cell's artifacts are called ``{method}.{model}-{task}-{seed}-{kind}``: Kedro reads the part before the point as the
namespace, one box a method in the picture of the pipeline. The catalog has one pattern a kind.
"""

from typing import Protocol

LOCK = "conf/hub/lock.json"
"""Where the revisions of the hub are pinned, from the project's folder."""
METHODS_FOLDER = "methods"
"""Where the project's own methods lie, from the project's folder."""
DATA, CELL = "data.", "cell."
"""What the tags of a task's data nodes and of a cell's nodes begin with."""
MAJORITY, RANDOM, PROFILES = "majority", "random", "profiles"
RESERVED = (MAJORITY, RANDOM, PROFILES)
"""The pipeline's own namespaces, which stand beside those of the methods."""
RUNS = "runs"
DATA_REPORT, DATA_REPORT_TEXT = "data_report", "data_report_text"
RESULTS, RESULTS_TABLE = "results", "results_table"


class CellNames(Protocol):
    """A name from each axis: what a cell is."""

    @property
    def method(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def seed(self) -> str: ...


def parameter(axis: str, name: str) -> str:
    """The dataset of one row of the configuration.

    >>> parameter("tasks", "sst2")
    'params:tasks.sst2'
    """
    return f"params:{axis}.{name}"


def raw(task: str) -> str:
    """A task's raw rows."""
    return f"{task}_raw"


def adapted(task: str) -> str:
    """A task's rows as input and references."""
    return f"{task}_adapted"


def prompts(task: str) -> str:
    """A task's rows behind its instruction."""
    return f"{task}_prompts"


def profile(task: str) -> str:
    """A task's part of the data report."""
    return f"{PROFILES}.{task}-profile"


def weights(model: str) -> str:
    """The folder of a model that was downloaded."""
    return f"{model}_weights"


def artifact(cell: CellNames, kind: str) -> str:
    """What a cell makes.

    >>> from peft_pipelines.config import Cell
    >>> artifact(Cell(method="lora", model="tiny", task="sst2", seed="s0"), "metrics")
    'lora.tiny-sst2-s0-metrics'
    """
    return f"{cell.method}.{cell.model}-{cell.task}-{cell.seed}-{kind}"


def cell_node(cell: CellNames, step: str) -> str:
    """A node of a cell, without its namespace."""
    return f"{cell.model}-{cell.task}-{cell.seed}-{step}"


def task_node(task: str, step: str) -> str:
    """A node of a task."""
    return f"{task}-{step}"


def results(method: str) -> str:
    """One row a cell of a method, or of a baseline that asks no model."""
    return f"{method}_results"


def details(method: str) -> str:
    """What the report page shows of a method's cells."""
    return f"{method}_details"


def answers(method: str) -> str:
    """The answers of a method's cells, as the comparisons read them."""
    return f"{method}_answers"


def scores(baseline: str, task: str) -> str:
    """The scores of a baseline that asks no model."""
    return f"{baseline}.{task}-scores"


def data_tag(task: str) -> str:
    """The tag of the nodes that make a task's data."""
    return f"{DATA}{task}"


def cell_tag(cell: str) -> str:
    """The tag of a cell's nodes, by the cell's id."""
    return f"{CELL}{cell}"
