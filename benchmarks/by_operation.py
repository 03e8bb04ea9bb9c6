"""Where the processor seconds of a LoRA cell go, by kind of operation: what keeps it from the floor of floor.py.

The cell's `kedro run` is made in this process, with torch's profiler around its training and around its answers. The
profiler itself takes some seconds, which count as outside of operations; the shares are what to look at. One thread.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from sides import ONE_THREAD, PROJECT, cell_of, cell_parser, kedro_run, machine

NARROW = 16
"""A product with a side of at most so many is one of the adapter's: LoRA has rank 8."""
WEIGHTS, ADAPTER, ATTENTION = "products with the base's weights", "products with the adapter's", "attention"
OTHER, OUTSIDE = "norms, activations, rotations, copies, indices", "outside of operations: Python, dispatch, profiler"
PRODUCTS = ("aten::mm", "aten::addmm")
ATTENDING = ("scaled_dot_product", "aten::bmm", "aten::baddbmm", "softmax")


class Operation(NamedTuple):
    """What one kind of operation on tensors of some shapes took: seconds and floating-point operations."""

    name: str
    shapes: list[list[int]]
    seconds: float
    flops: float


class Part(NamedTuple):
    """A part of the cell: its processor seconds, and its operations."""

    cpu: float
    operations: list[Operation]


def main() -> None:
    """Run the cell under the profiler and print a table of each part."""
    cell = cell_of(cell_parser(__doc__ or "").parse_args())
    os.environ.update(ONE_THREAD)
    os.chdir(PROJECT)
    with tempfile.TemporaryDirectory() as scratch:
        parts = profiled_run([*kedro_run(Path(scratch), cell), "--workers=1"])
    print(f"\n{cell}, one thread\n")
    for title, part in parts.items():
        print(f"| {title} | CPU s | share | GFLOP/s |\n|---|---:|---:|---:|")
        for kind, seconds, rate in table(part):
            print(f"| {kind} | {seconds:.1f} | {seconds / part.cpu:.2f} | {f'{rate:.0f}' if rate else ''} |")
        print()
    print(machine())


def profiled_run(command: list[str]) -> dict[str, Part]:
    """Run a command of Kedro in this process and return its training and its answers."""
    from kedro.framework.cli.cli import main as kedro  # noqa: PLC0415  (the number of threads is set first)
    from transformers import Trainer  # noqa: PLC0415

    from peft_pipelines.inference.answerer import Answerer  # noqa: PLC0415

    parts: dict[str, Part] = {}
    Trainer.train = profiled(Trainer.train, "training", parts)
    Answerer.generate = profiled(Answerer.generate, "answers", parts)  # type: ignore[method-assign]
    sys.argv = command
    with suppress(SystemExit):
        kedro()
    return parts


def profiled(call: Callable[..., Any], title: str, parts: dict[str, Part]) -> Callable[..., Any]:
    """Return a function that does the same, and notes what each of its operations took."""
    from torch.profiler import ProfilerActivity, profile  # noqa: PLC0415

    def noted(*args: Any, **named: Any) -> Any:
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True, with_flops=True) as seen:
            start = time.process_time()
            result = call(*args, **named)
            cpu = time.process_time() - start
        averages = seen.key_averages(group_by_input_shape=True)
        found = [Operation(one.key, one.input_shapes, one.self_cpu_time_total / 1e6, one.flops) for one in averages]
        parts[title] = Part(cpu, [one for one in found if one.name.startswith("aten::")])
        return result

    return noted


def kind_of(operation: Operation) -> str:
    """The kind of an operation.

    >>> kind_of(Operation("aten::mm", [[512, 576], [576, 8]], 0.1, 1e6))
    "products with the adapter's"
    """
    if operation.name in PRODUCTS:
        sides = [side for shape in operation.shapes if len(shape) > 1 for side in shape]
        return ADAPTER if min(sides) <= NARROW else WEIGHTS
    return ATTENTION if any(name in operation.name for name in ATTENDING) else OTHER


def table(part: Part) -> Iterable[tuple[str, float, float]]:
    """Yield each kind with its seconds, and the operations a second of products in 10^9, 0 of what is none."""
    seconds, flops = Counter[str](), Counter[str]()
    for operation in part.operations:
        seconds[kind_of(operation)] += operation.seconds  # type: ignore[assignment]
        flops[kind_of(operation)] += operation.flops  # type: ignore[assignment]
    for kind in (WEIGHTS, ADAPTER, ATTENTION, OTHER):
        yield kind, seconds[kind], flops[kind] / seconds[kind] / 1e9 if kind in (WEIGHTS, ADAPTER) else 0.0
    yield OUTSIDE, part.cpu - seconds.total(), 0.0


if __name__ == "__main__":
    main()
