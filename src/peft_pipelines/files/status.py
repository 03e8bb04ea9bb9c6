"""The status of a run or a cell."""

from enum import StrEnum


class Status(StrEnum):
    """Words of manifests, results and the report; a run that was killed stays ``RUNNING``."""

    RUNNING = "running"
    DONE = "done"
    CELLS_FAILED = "cells failed"
    REPORT_FAILED = "report failed"
    """All cells are done, and parts of the report failed."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """A signal has ended the run; what it had made stands."""
    NOT_RUN = "not run"
    NOTHING_TO_DRAW = "nothing to draw"
    """A random baseline of free text: there are no labels to draw from."""
