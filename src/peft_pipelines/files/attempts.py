"""Work in parts of which each may fail alone: an error in one part is handed on, and the others go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
Handler = Callable[[str, Exception], None]
"""Takes a part's name and the exception that ended it."""

_handler: ContextVar[Handler | None] = ContextVar("handler", default=None)


@contextmanager
def attempt(part: str) -> Iterator[None]:
    """Leave the block at the first exception in it and hand it on; without a handler the exception passes.

    What the block was to make must have its value for "not made" before, since nothing behind the error is run.

    >>> failed, halves = [], {}
    >>> with handing_on(lambda part, error: failed.append(f"{part}: {error}")):
    ...     for number in (4, "x", 2):
    ...         with attempt(f"half of {number}"):
    ...             halves[number] = int(number) / 2
    >>> halves, failed
    ({4: 2.0, 2: 1.0}, ["half of x: invalid literal for int() with base 10: 'x'"])
    """
    try:
        yield
    except Exception as error:  # whatever it is, it must not cost the other parts
        handler = _handler.get()
        if handler is None:
            raise
        handler(part, error)


def attempted(part: str, function: Callable[..., T], *arguments: Any) -> T | None:
    """Call a function as an attempt, and return None where it raises."""
    result = None
    with attempt(part):
        result = function(*arguments)
    return result


@contextmanager
def handing_on(handler: Handler) -> Iterator[None]:
    """Give the handler each part's error as long as the block lasts."""
    token = _handler.set(handler)
    try:
        yield
    finally:
        _handler.reset(token)
