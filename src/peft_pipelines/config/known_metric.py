"""What the configuration has to know of a metric, which the packages above it define."""

from collections.abc import Sequence
from typing import Protocol


class KnownMetric(Protocol):
    """A metric as far as a task's row is checked against it."""

    @property
    def primary(self) -> bool:
        """Whether it may stand for a task."""

    @property
    def reads_continuations(self) -> bool:
        """Whether it compares the likeliest continuation, not what was written."""

    def misfit(self, labels: Sequence[str], question: bool, composed: bool, continuations: bool) -> str:
        """Why a row cannot name it, empty where it can.

        Args:
            labels: the row's label words.
            question: whether it has questions.
            composed: whether its right answers hold more than the value of one column.
            continuations: whether it has continuations.
        """
