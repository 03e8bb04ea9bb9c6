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
from grid import MODEL, PROJECT, machine, timed

SEEDS = ("s0", "s1")


def main() -> None:
    """Run both and print their figures and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of a cell, and number of workers")
    parser.add_argument("--train", type=int, default=32, help="training rows")
    parser.add_argument("--test", type=int, default=16, help="test rows")
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
    print(f"\n{len(SEEDS)} cells, {args.train} training and {args.test} test rows, ", end="")
    print("nothing beside them\n" if args.quiet else "another process holds one processor\n")
    print("| | wall s | CPU s |\n|---|---:|---:|")
    print(f"| one after another, {args.threads} threads | {threads[0]:.0f} | {threads[1]:.0f} |")
    print(f"| side by side, one thread each | {workers[0]:.0f} | {workers[1]:.0f} |")
    print(f"| ratio | {threads[0] / workers[0]:.2f} | {threads[1] / workers[1]:.2f} |\n\n{machine()}")


def run(args: argparse.Namespace, workers: int, threads: int) -> tuple[float, float]:
    """A `kedro run` of the cells into an empty store: wall and CPU seconds of all its processes."""
    with tempfile.TemporaryDirectory() as scratch:
        conf = Path(scratch) / "conf/bench"
        conf.mkdir(parents=True)
        (conf.parent / "base").symlink_to(PROJECT / "conf/base")
        sampling = {"train_rows": args.train, "validation_rows": 8, "test_rows": args.test}
        parameters = {"training": {"epochs": 1, "batch_size": 8, "evaluations": 1}, "sampling": sampling}
        grid = {"methods": ["lora"], "tasks": ["sst2"], "models": [MODEL], "seeds": list(SEEDS)}
        for name, content in (("parameters", parameters), ("grid", grid)):
            (conf / f"{name}.yml").write_text(yaml.safe_dump(content))
        command = [str(Path(sys.executable).with_name("kedro")), "run", "--pipelines=benchmark", "--env=bench"]
        values = f"--params=store={scratch}/store,raw={args.raw.resolve()}"
        options = [f"--conf-source={conf.parent}", f"--workers={workers}", values]
        return timed([*command, *options], dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)))


if __name__ == "__main__":
    main()
