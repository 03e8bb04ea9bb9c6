"""Time what Kedro and this project themselves cost: registering and planning 2,565 cells, as a share of a cell.

27 tasks x 19 methods x 5 seeds, made of copies of the rows that are there; no model is read and nothing is trained.
"""

import argparse
import time
from pathlib import Path

from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).resolve().parent.parent
TASKS, METHODS, SEEDS = 27, 19, 5
CELL_SECONDS = 20
"""A small cell on two cores (see docs/speed.md): what the planning of one cell is held against."""


def main() -> None:
    """Build the pipelines of a large grid, plan them, and print seconds."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    from peft_pipelines.config import Grid, Parameters  # noqa: PLC0415  (not for --help)
    from peft_pipelines.pipelines.grid import pipelines_of  # noqa: PLC0415
    from peft_pipelines.running.units import split  # noqa: PLC0415

    started = time.perf_counter()
    loader = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")
    rows = Parameters.of(loader["parameters"])
    read = time.perf_counter()
    grid = Grid(
        tasks=tuple(f"task{number}" for number in range(TASKS)),
        methods=tuple(f"method{number}" for number in range(METHODS)),
        models=(next(iter(rows.models)),),
        seeds=tuple(f"s{number}" for number in range(SEEDS)),
    )
    pipeline = pipelines_of(grid)["benchmark"]
    built = time.perf_counter()
    work = split(pipeline.nodes, grid.model_dump(mode="json"))
    planned = time.perf_counter()
    cells = len(work.cells)
    print(f"rows read and checked: {read - started:.2f} s")
    print(f"{len(pipeline.nodes)} nodes of {cells} cells built: {built - read:.2f} s")
    print(f"grouped and ordered: {planned - built:.2f} s")
    share = (planned - started) / (cells * CELL_SECONDS)
    print(f"ratio, all of it over {cells} cells of {CELL_SECONDS} s: {share:.5%}")


if __name__ == "__main__":
    main()
