"""A runner whose own code is wrong: no input explains what it raises."""

from typing import Any

from kedro.runner import SequentialRunner


class BrokenRunner(SequentialRunner):
    """Raises before the first node."""

    def _run(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of the code's own")
