"""Time cells on a machine on which another process holds a processor: two threads a cell, against a thread a cell.

Two LoRA cells on SST-2 of the embedded model, batch 8, one epoch: one after another on as many threads as there are
processors, and side by side on one thread each. The other process does nothing but keep one processor busy.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from grid import THREADS
from sides import MODEL, PROJECT, Cell, Cost, kedro_run, machine, timed

SEEDS = ("s0", "s1")


def main() -> None:
    """Run both and print their figures and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of a cell, and number of workers")
    parser.add_argument("--train", type=int, default=32, help="training examples")
    parser.add_argument("--test", type=int, default=16, help="test examples")
    parser.add_argument("--quiet", action="store_true", help="without the other process")
    args = parser.parse_args()
    other = None if args.quiet else subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        threads = run(args, workers=1, threads=args.threads)
        workers = run(args, workers=args.threads, threads=1)
    finally:
        if other:
            other.kill()
            other.wait()
    beside = "nothing beside them" if args.quiet else "another process holds one processor"
    print(f"\nLoRA on sst2, {len(SEEDS)} cells, {args.train} training and {args.test} test examples, {beside}\n")
    print("| | wall s | CPU s |\n|---|---:|---:|")
    print(f"| one after another, {args.threads} threads | {threads.wall:.0f} | {threads.cpu:.0f} |")
    print(f"| side by side, one thread each | {workers.wall:.0f} | {workers.cpu:.0f} |")
    print(f"| ratio | {threads.wall / workers.wall:.2f} | {threads.cpu / workers.cpu:.2f} |\n\n{machine()}")


def run(args: argparse.Namespace, workers: int, threads: int) -> Cost:
    """What a `kedro run` of the cells into an empty store takes, all of its processes together."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        cell = Cell(args.raw.resolve(), "sst2", args.train, args.test, "question")
        command = [*kedro_run(scratch, cell), f"--workers={workers}"]
        grid = {"methods": ["lora"], "tasks": [cell.task], "models": [MODEL], "seeds": list(SEEDS)}
        (scratch / "conf/bench/grid.yml").write_text(yaml.safe_dump(grid))
        return timed(command, **dict.fromkeys(THREADS, str(threads)))


if __name__ == "__main__":
    main()
