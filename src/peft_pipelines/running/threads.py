"""The threads that a process computes with: one on a processor, unless ``OMP_NUM_THREADS`` asks for more.

Sums are split among threads, so their number decides the last bits of what is trained. It must not depend on how many
cells run side by side, nor on the machine; and single threads do not wait for each other on a busy machine.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

ASKED = "OMP_NUM_THREADS"
_SUMS = (ASKED, "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_TEXT = "RAYON_NUM_THREADS"
"""The tokenizers', which decide nothing."""


def per_cell() -> int:
    """Return the number of threads that a cell computes with."""
    asked = os.environ.get(ASKED, "").partition(",")[0].strip()
    return max(1, int(asked)) if asked.isdecimal() else 1


def environment() -> dict[str, str]:
    """Return the variables with which a worker starts, for the libraries that read them when they are loaded."""
    return {name: os.environ.get(name, str(per_cell())) for name in (*_SUMS, _TEXT)}


@contextmanager
def limited() -> Iterator[None]:
    """Compute so in this process as long as the block lasts, with libraries that are loaded already or will be."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  (looks at all loaded libraries: not for --help)

    number, before = per_cell(), {name: os.environ.get(name) for name in _SUMS}
    with ExitStack() as stack:
        stack.callback(_set_back, before)
        os.environ.update({name: str(number) for name, value in before.items() if value is None})
        stack.enter_context(threadpool_limits(number))
        if torch := sys.modules.get("torch"):
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(number)
        yield


def _set_back(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
