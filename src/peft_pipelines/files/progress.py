"""Progress of long work and its numbers: reported by the code that does it, passed on to who listens."""

from collections.abc import Callable, Mapping

Listener = Callable[[str, int, int], None]
"""Is told a phase, the steps of it that are done, and how many there are."""
Numbers = Callable[[str, Mapping[str, float]], None]
"""Is told a phase and an entry of its log: ``step`` and the numbers of that step."""

_listener: Listener | None = None
_numbers: Numbers | None = None


def listen(listener: Listener | None, numbers: Numbers | None = None) -> None:
    """Set the listeners of all later steps and numbers of this process; None removes one."""
    global _listener, _numbers
    _listener, _numbers = listener, numbers


def step(phase: str, done: int, total: int) -> None:
    """Report that ``done`` of ``total`` steps of a phase are done."""
    if _listener:
        _listener(phase, done, total)


def log(phase: str, entry: Mapping[str, float]) -> None:
    """Report an entry of a phase's log; a training that goes on reports its earlier ones again."""
    if _numbers:
        _numbers(phase, entry)
