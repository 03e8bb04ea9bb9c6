"""Progress of long work: reported by the code that does it, passed on to one listener, if there is any."""

from collections.abc import Callable

Listener = Callable[[str, int, int], None]

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Set the listener of all later steps of this process; None removes it."""
    global _listener  # noqa: PLW0603  (one display a process)
    _listener = listener


def step(phase: str, done: int, total: int) -> None:
    """Report that ``done`` of ``total`` steps of a phase are done."""
    if _listener:
        _listener(phase, done, total)
