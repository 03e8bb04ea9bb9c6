"""How the processor seconds grow with rows, prompt length, cells and the size of the report: a table each.

Each line has the seconds of one unit beside the total, and how they stand to those of the first line: a column that
stays near 1 is a cost in proportion. The tables `cells`, `rerun` and `report` are of cells with made-up answers, as the
tests have them; `rows` and `length` train the embedded model, by a `kedro run` each.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

import pyarrow as pa
from growth_runs import cell_rows, prompt_length
from sides import PROJECT, machine

sys.path.insert(0, str(PROJECT / "tests/support"))

Measured = Iterable[tuple[int, float]]
"""Sizes in units, each with its processor seconds."""


def main() -> None:
    """Print the tables that are asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--only", nargs="*", choices=TABLES, default=list(TABLES))
    args = parser.parse_args()
    for name in args.only:
        for title, unit, measured in TABLES[name](args.raw.resolve()):
            print("\n".join(table(title, unit, measured)), flush=True)
            print()
    print(machine())


def table(title: str, unit: str, measured: Measured) -> Iterator[str]:
    """The lines of a Markdown table: size, seconds, seconds of a unit, and these beside the first line's.

    >>> print(*table("rows, read", "row", [(100, 0.2), (200, 0.8)]), sep="\\n")
    | rows, read | CPU s | ms a row | beside the first |
    |---:|---:|---:|---:|
    | 100 | 0.20 | 2.000 | 1.00 |
    | 200 | 0.80 | 4.000 | 2.00 |
    """
    yield f"| {title} | CPU s | ms a {unit} | beside the first |"
    yield "|---:|---:|---:|---:|"
    first = None
    for size, seconds in measured:
        each = 1000 * seconds / size
        first = first or each
        yield f"| {size:,} | {seconds:.2f} | {each:.3f} | {each / first:.2f} |"


def spent(work: Callable[[], object]) -> float:
    """The processor seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def each(work: Callable[[int], float], sizes: Sequence[int]) -> Measured:
    """The seconds of each size, behind a first call that is not counted: it imports what all need."""
    work(sizes[0])
    return [(size, work(size)) for size in sizes]


Tables = Iterator[tuple[str, str, Measured]]


def adapted(raw: Path, sizes: Sequence[int] = (1_000, 2_000, 4_000, 8_000, 16_000)) -> Tables:
    """Rows of a task with groups and of one without, drawn and made prompts of."""
    from peft_pipelines.config import Parameters  # noqa: PLC0415
    from peft_pipelines.data.adapt import adapt, instruct  # noqa: PLC0415
    from peft_pipelines.storage.splits import RowsFolder  # noqa: PLC0415

    rows = Parameters.of(parameters())
    for name in ("sst2", "multirc"):
        if not (raw / name).is_dir():
            continue
        task, splits = rows.tasks[name], RowsFolder(filepath=str(raw / name)).load()
        sampling = rows.sampling.model_copy(update={"train_rows": 128, "test_rows": 64})

        def work(size: int, task=task, splits=splits, sampling=sampling) -> float:
            train = splits[task.splits.train]
            grown = pa.concat_tables([train] * -(-size // train.num_rows)).slice(0, size)
            given = {**splits, task.splits.train: grown}
            return spent(lambda: instruct(adapt(given, task, sampling), task))

        yield f"training rows of {name}, drawn and adapted", "row", each(work, sizes)


def parameters() -> dict:
    """The project's own rows."""
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415

    return OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]


def cells(raw: Path, sizes: Sequence[int] = (250, 500, 1_000, 2_000)) -> Tables:
    """Cells of a grid: their nodes made, grouped and ordered."""
    from peft_pipelines.config import Grid  # noqa: PLC0415
    from peft_pipelines.pipelines.grid import pipelines_of  # noqa: PLC0415
    from peft_pipelines.running.units import split  # noqa: PLC0415

    def planned(size: int) -> float:
        grid = Grid(**axes(size))
        return spent(lambda: split(pipelines_of(grid)["benchmark"].nodes, grid.model_dump(mode="json")))

    yield "cells, planned", "cell", each(planned, sizes)


def axes(size: int) -> dict[str, list[str]]:
    """A grid of so many cells: 10 methods, 5 seeds, and tasks for the rest."""
    names = {"methods": ("m", 10), "tasks": ("t", size // 50), "seeds": ("s", 5), "models": ("base", 1)}
    return {axis: [f"{name}{number}" for number in range(count)] for axis, (name, count) in names.items()}


def rerun(raw: Path, sizes: Sequence[int] = (100, 200, 400, 800)) -> Tables:
    """Cells that take no time: run, and run again with nothing to do."""
    import trivial  # noqa: PLC0415  (of the tests)

    from peft_pipelines.running.cell_runner import CellRunner  # noqa: PLC0415

    def once(grid: dict, folder: str, version: str) -> None:
        rows = {axis: {name: {"name": name, "rate": 0.1, "ask": "?"} for name in grid[axis]} for axis in TRIVIAL}
        found = trivial.catalog(Path(folder), {**rows, "seeds": dict.fromkeys(grid["seeds"], 0), "scale": 100}, version)
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            CellRunner().run(trivial.pipeline(grid), found)

    runs = []
    for size in (sizes[0], *sizes):  # the first run imports what all need
        with tempfile.TemporaryDirectory() as folder:
            runs.append((size, *(spent(partial(once, axes(size), folder, version)) for version in "12")))
    yield "cells without work, run", "cell", [(size, first) for size, first, _ in runs[1:]]
    yield "cells without work, run again", "cell", [(size, again) for size, _, again in runs[1:]]


TRIVIAL = ("methods", "tasks")


def report(raw: Path, sizes: Sequence[tuple[int, int]] = ((4, 4), (8, 8), (16, 8), (16, 16))) -> Tables:
    """Methods x tasks x 2 seeds with made-up answers to 200 examples: scored, compared, and the page."""
    from made import Made, labelled  # noqa: PLC0415  (of the tests)

    runs = []
    for methods, tasks in (sizes[0], *sizes):  # the first one imports what all need
        with tempfile.TemporaryDirectory() as folder:
            shares = {f"m{number}": 0.5 + number / 50 for number in range(methods)}
            start = time.process_time()
            made = Made(Path(folder), shares, [labelled(f"t{number}") for number in range(tasks)], seeds=2, n=200)
            scored = time.process_time() - start
            compared = spent(made.compared)
            page = spent(made.page) - compared
        runs.append((methods * tasks * 2, tasks * (methods + 1) * methods // 2, scored, compared, page))
    yield "cells, scored", "cell", [(count, scored) for count, _, scored, _, _ in runs[1:]]
    yield "pairs of methods, compared", "pair", [(pairs, compared) for _, pairs, _, compared, _ in runs[1:]]
    yield "pairs of methods, the page", "pair", [(pairs, page) for _, pairs, _, _, page in runs[1:]]


TABLES: dict[str, Callable[[Path], Tables]] = {
    "data": adapted,
    "rows": cell_rows,
    "length": prompt_length,
    "cells": cells,
    "rerun": rerun,
    "report": report,
}

if __name__ == "__main__":
    main()
