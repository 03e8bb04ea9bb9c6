"""Time a large grid of cells that sleep, some of which fail or end their process: what a cell costs beside its work.

By default 500 cells that do nothing, in four workers, in processes of this machine or (--ray) in actors of a Ray
cluster; 27 tasks x 19 methods x 5 seeds of which 3 % end their process with --methods 19 --seeds 5 --lost 0.03.
"""

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from sleeping_cells import Rule, catalog, cells_of, grid_of, pipeline


def main() -> None:
    """Run the grid, check each cell against the rule, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ray", action="store_true", help="in actors of a Ray cluster")
    parser.add_argument("--address", help="the cluster's; without it Ray's own choice")
    parser.add_argument("--workers", type=int, default=4, help="workers side by side")
    parser.add_argument("--tasks", type=int, default=25, help="tasks of the grid")
    parser.add_argument("--methods", type=int, default=10, help="methods of the grid")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of the grid")
    parser.add_argument("--seconds", type=float, default=0.0, help="seconds that a cell sleeps, on average")
    parser.add_argument("--failing", type=float, default=0.0, help="share of cells that fail")
    parser.add_argument("--lost", type=float, default=0.0, help="share of cells that end their first process")
    args = parser.parse_args()
    grid, rule = grid_of(args.methods, args.tasks, args.seeds), Rule(1, args.seconds, args.failing, args.lost)
    with tempfile.TemporaryDirectory() as folder:
        began, used = time.perf_counter(), time.process_time()
        run(args, Path(folder), grid, rule)
        wall, cpu = time.perf_counter() - began, time.process_time() - used
        began = time.perf_counter()
        run(args, Path(folder), grid, rule)
        again = time.perf_counter() - began
        wrong = unlike(Path(folder), grid, rule)
    told(args, grid, rule, {"wall": wall, "cpu": cpu, "again": again}, wrong)


def run(args: argparse.Namespace, folder: Path, grid: dict[str, list[str]], rule: Rule) -> None:
    """Run the grid in a store; cells that fail are no surprise."""
    from peft_pipelines.running.cell_runner import CellRunner  # noqa: PLC0415  (not for --help)
    from peft_pipelines.running.failures import PartsFailed  # noqa: PLC0415
    from peft_pipelines.running.ray_runner import RayRunner  # noqa: PLC0415

    logging.getLogger("kedro").setLevel(logging.ERROR)
    runner: Any = (
        RayRunner(workers=args.workers, address=args.address) if args.ray else CellRunner(workers=args.workers)
    )
    try:
        runner.run(pipeline(grid), catalog(folder, grid, rule))
    except PartsFailed as failed:
        print(str(failed).splitlines()[0])


def unlike(folder: Path, grid: dict[str, list[str]], rule: Rule) -> list[str]:
    """The cells of which the store does not hold what the rule says: numbers, or a failure."""
    wrong = []
    for method, task, seed in cells_of(grid):
        place = folder / "m" / task / method / seed
        _, fails, _ = rule.of(f"{method}.{task}.{seed}")
        stands = (place / "metrics.json").exists(), (place / "failure.json").exists()
        if stands != (not fails, fails) or (place / "claim.json").exists():
            wrong.append(f"{method}.{task}.{seed}")
    return wrong


def told(
    args: argparse.Namespace, grid: dict[str, list[str]], rule: Rule, took: dict[str, float], wrong: list[str]
) -> None:
    """Print the table."""
    drawn = [rule.of(".".join(cell)) for cell in cells_of(grid)]
    wall, work = took["wall"], sum(seconds for seconds, _, _ in drawn)
    print(f"\n{len(drawn)} cells in {args.workers} {'actors' if args.ray else 'processes'}\n")
    print(f"| work of all cells, s | {work:.1f} |\n|---|---:|")
    print(f"| cells that fail by the rule | {sum(fails for _, fails, _ in drawn)} |")
    print(f"| processes that cells have ended | {sum(lost for _, _, lost in drawn)} |")
    print(f"| wall, s | {wall:.1f} |")
    print(f"| beside the work, s a cell and worker | {(wall - work / args.workers) * args.workers / len(drawn):.3f} |")
    print(f"| CPU of the run's own process, s a cell | {took['cpu'] / len(drawn):.4f} |")
    print(f"| wall of a second run, s | {took['again']:.1f} |")
    print(f"| cells that are not what the rule says | {len(wrong)} |")
    for cell in wrong[:10]:
        print(f"  {cell}")


if __name__ == "__main__":
    main()
