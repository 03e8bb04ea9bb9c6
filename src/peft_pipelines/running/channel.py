"""What a run and its workers say to each other: messages over a pair of connected sockets.

They are pickled, as processes of one run send objects to each other; nothing of it is ever written to a file, and
nobody else holds an end of the pair.
"""

import logging
from dataclasses import dataclass
from typing import Any

from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit

BROKEN_DEVICE = 70
"""The exit code of a worker whose GPU fails: another process has it whole."""


@dataclass(frozen=True)
class Order:
    """A cell to be made. ``was`` held it when it was last looked at; ``deaths`` are the processes that it has cost."""

    unit: Unit
    was: Holder | None
    deaths: int


@dataclass(frozen=True)
class Ready:
    """A worker has begun, and takes the shipment now."""


@dataclass(frozen=True)
class Shown:
    """A call of a worker's display; its place there is added."""

    call: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Noted:
    """What a person should know."""

    line: str


@dataclass(frozen=True)
class Logged:
    """A record of a worker's log, as text."""

    record: logging.LogRecord


@dataclass(frozen=True)
class Ended:
    """The order is done."""

    outcome: Outcome


@dataclass(frozen=True)
class Held:
    """The cell was not made, since another run holds it."""

    holder: Holder


@dataclass(frozen=True)
class Raised:
    """An error that is no cell's own ended the worker."""

    error: Exception


Message = Ready | Shown | Noted | Logged | Ended | Held | Raised
