"""Time a grid of 16 cells in one `kedro run` with workers, against plain scripts one after another on all processors.

Four methods on four tasks of the embedded model, batch 8, one epoch. The plain script (plain_trainer.py) trains LoRA
and reads the prompts that the run has made; its cells of the four tasks stand for those of the other methods too.
"""

import argparse
import os
import tempfile
from pathlib import Path

import yaml
from plain import plain_script
from sides import MODEL, PROJECT, Cell, Cost, kedro_run, machine, timed

METHODS = ("bitfit", "ia3", "prefix_tuning", "lora")
TASKS = ("sst2", "cola", "wsc", "svamp")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Run the grid, then the plain scripts, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of the run, one thread each")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of a plain script")
    parser.add_argument("--train", type=int, default=128, help="training examples of a task")
    parser.add_argument("--test", type=int, default=64, help="test examples of a task")
    parser.add_argument("--tasks", nargs="*", default=TASKS, choices=TASKS, help="tasks of the grid")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = run_grid(Path(scratch), args)
        scripts = [plain(Path(scratch), args, task) for task in args.tasks]
    print(f"\nLoRA on {', '.join(args.tasks)} and {len(METHODS) - 1} other methods: ", end="")
    print(f"{len(METHODS) * len(scripts)} cells, {args.train} training and {args.test} test examples a task\n")
    print("| | wall s | CPU s |\n|---|---:|---:|")
    print(f"| one `kedro run --workers={args.workers}` | {run.wall:.0f} | {run.cpu:.0f} |")
    wall, cpu = sum(each.wall for each in scripts), sum(each.cpu for each in scripts)
    print(f"| {len(scripts)} plain scripts of LoRA, {args.threads} threads each | {wall:.0f} | {cpu:.0f} |")
    ratios = f"{len(METHODS) * wall / run.wall:.2f} | {len(METHODS) * cpu / run.cpu:.2f}"
    print(f"| ratio, {len(METHODS)} times the scripts over the run | {ratios} |\n\n{machine()}")


def run_grid(scratch: Path, args: argparse.Namespace) -> Cost:
    """What one `kedro run` of the grid into the empty store `scratch/store` takes, all of its processes together."""
    cell = Cell(args.raw.resolve(), args.tasks[0], args.train, args.test, "question")
    command = [*kedro_run(scratch, cell), f"--workers={args.workers}"]
    grid = {"methods": list(METHODS), "tasks": list(args.tasks), "models": [MODEL], "seeds": ["s0"]}
    (scratch / "conf/bench/grid.yml").write_text(yaml.safe_dump(grid))
    return timed(command)


def plain(scratch: Path, args: argparse.Namespace, task: str) -> Cost:
    """What the plain script takes on the prompts that the run has made of a task."""
    cell = Cell(args.raw.resolve(), task, args.train, args.test, "question")
    return timed(plain_script(scratch, cell), **dict.fromkeys(THREADS, str(args.threads)))


if __name__ == "__main__":
    main()
