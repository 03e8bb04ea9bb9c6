"""Runners: which of them can run this project, and the records that Kedro's own would make wrong."""

from typing import TYPE_CHECKING

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

CELL_RUNNER, RAY_RUNNER = "CellRunner", "RayRunner"
ALLOWED = (CELL_RUNNER, "SequentialRunner", RAY_RUNNER)
REFUSED = ("ParallelRunner", "ThreadRunner")


def check_runner(runner: str) -> None:
    """Refuse the runners that share out nodes: a live model cannot leave its process, and there is one at a time.

    Args:
        runner: a runner's name or representation, as Kedro gives it to hooks.

    Raises:
        ConfigError: the runner works in several processes or threads.
    """
    name = next((name for name in REFUSED if name in runner), None)
    if name:
        raise ConfigError(
            f"--runner: '{name}' cannot run this project, which has one model at a time, in one process. "
            f"Allowed: {', '.join(ALLOWED)}"
        )


def keeps_records(runner: str) -> bool:
    """Whether a runner keeps the states of units and the list of failed report parts up to date.

    >>> keeps_records("SequentialRunner"), keeps_records("<a.CellRunner object at 0x7f>")
    (False, True)
    """
    return CELL_RUNNER in runner or RAY_RUNNER in runner


def computes_here(runner: str) -> bool:
    """Whether a runner has cells made on this machine.

    >>> computes_here("CellRunner"), computes_here("<a.RayRunner object at 0x7f>")
    (True, False)
    """
    return RAY_RUNNER not in runner


def forget_records(node: "Node", catalog: "DataCatalog") -> None:
    """Remove the records that will be wrong once a runner that keeps none has run this node.

    What it makes is loaded by the nodes behind it, and what it needs in the versions on record.
    """
    from peft_pipelines.running.handed_on import hand_on_own  # noqa: PLC0415
    from peft_pipelines.running.report_runner import forget_failures  # noqa: PLC0415  (heavy: --help must not wait)
    from peft_pipelines.running.state import STATE, hand_on_records  # noqa: PLC0415
    from peft_pipelines.running.units import split, units_of  # noqa: PLC0415

    work = split([node], {})
    hand_on_records(catalog, work.data + work.cells or units_of(catalog.load(names.parameter("grid"))))
    hand_on_own(catalog, [node])
    for unit in work.data + work.cells:
        (unit.folder(catalog) / STATE).unlink(missing_ok=True)
    if work.report:
        forget_failures(catalog)
