"""Where long work says how far it is; whoever displays it listens here. Nobody has to."""

from collections.abc import Callable

Listener = Callable[[str, int, int], None]

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Hear of each step from now on; None to stop."""
    global _listener  # noqa: PLW0603  (one display a process)
    _listener = listener


def step(phase: str, done: int, total: int) -> None:
    """Say that ``done`` of ``total`` steps of a phase are done."""
    if _listener:
        _listener(phase, done, total)
