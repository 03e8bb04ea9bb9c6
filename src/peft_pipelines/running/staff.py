"""Who makes the cells of a run: what its crew knows of the workers, be they processes here or actors elsewhere."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # an actor that only starts a worker waits for none of these
    from kedro.io import DataCatalog

    from peft_pipelines.files.claim_file import Holder
    from peft_pipelines.running.plans import Plan
    from peft_pipelines.running.units import Unit

DYING = 5.0
"""Seconds between the end of a worker's line and its own end."""


@dataclass
class Errand:
    """A cell to be made: who held it when it was last looked at, what it has cost, and when it is looked at again.

    ``end`` tells of the last worker that it has cost: the step that ran, how the worker ended, and what it said.
    """

    unit: "Unit"
    was: "Holder | None" = None
    deaths: int = 0
    due: float = 0.0
    end: tuple[str, str, str] = ("", "", "")


class Worker(Protocol):
    """A worker as its run sees it. Its errand is what it has in hand, its phase the node of it that runs.

    ``place`` is its number among the workers that run side by side, ``ready`` says whether it has begun, ``line`` is
    read for its messages, and ``said`` holds the last lines that it has printed elsewhere, once it is gone.
    """

    place: int
    ready: bool
    errand: Errand | None
    phase: str
    said: str
    line: Connection

    def send(self, message: Any) -> None:
        """Tell it something; one that has died will be found so."""

    def terminate(self) -> None:
        """Order it to end."""

    def gone(self, patience: float = DYING) -> str:
        """Wait for its end some seconds, then bring it about, and return in words how it came."""
        ...


class Staff(Protocol):
    """Where workers come from.

    ``option`` is the option of the command line that asks for them, and ``instead`` says how to do without.
    ``elsewhere`` says whether they may be on other machines.
    """

    option: str
    instead: str
    elsewhere: bool

    def staffed(self, pending: "list[Plan]", catalog: "DataCatalog") -> AbstractContextManager[int]:
        """Yield the number of workers that make these cells; 0 where the run's own process is to make them."""
        ...

    def hire(self, place: int) -> Worker:
        """Start a worker."""
        ...
