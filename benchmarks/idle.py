"""What a `kedro run` costs beside its work: of one LoRA cell, and of a run with nothing to do, each in fresh processes.

The cell is run twice, each time into an empty store, and only the second run is measured: what a machine checks and
counts once is kept by the first. Then the same run has nothing to do. What is not training, generating or scoring is a
run's processor seconds less those that the cell has on record. One thread.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from sides import MODEL, ONE_THREAD, PROJECT, Cell, cell_of, cell_parser, kedro_run, machine

EACH = 0.02
"""Seconds between two looks at a process's memory. The kernel's own peak is of no use: a run resets it."""


@dataclass(frozen=True)
class Run:
    """A run's processor seconds and its peak resident set in 10^6 bytes."""

    cpu: float
    peak: float


def main() -> None:
    """Run the cell twice and then nothing, and print a table."""
    cell = cell_of(cell_parser(__doc__ or "").parse_args())
    with tempfile.TemporaryDirectory() as scratch:
        command = kedro_run(Path(scratch), cell)
        watched(command)  # checks and counts that are kept for later runs are made here
        store = Path(scratch) / "store"
        shutil.rmtree(store)
        full, worked = watched(command), work(store, cell)
        idle = watched(command)
    rest = full.cpu - sum(worked.values())
    print(f"{cell}, one thread\n\n| | CPU s | peak MB |\n|---|---:|---:|")
    print(f"| the whole `kedro run` | {full.cpu:.1f} | {full.peak:,.0f} |")
    for name, seconds in {**worked, "all else": rest}.items():
        print(f"| of it {name} | {seconds:.1f} | |")
    print(f"| the same run again, with nothing to do | {idle.cpu:.1f} | {idle.peak:,.0f} |")
    print(f"| ratio, all else over the whole run | {rest / full.cpu:.2f} | |\n\n{machine()}")


def work(store: Path, cell: Cell) -> dict[str, float]:
    """The processor seconds that a cell's training and generation took; scoring takes less than a tenth of one."""
    folder = store / "07_model_output" / MODEL / cell.task / "lora" / "s0"
    numbers = json.loads((folder / "metrics.json").read_text())
    return {"training": numbers["train_cpu_seconds"], "generation": numbers["generate_cpu_seconds"]}


def watched(command: list[str]) -> Run:
    """Run a command to its end, with one thread; its memory is looked at all the time."""
    with tempfile.TemporaryFile() as said:
        variables = {**os.environ, **ONE_THREAD}
        process = subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=subprocess.DEVNULL, stderr=said)
        peak, seen, pid = 0, psutil.Process(process.pid), 0
        while not pid:
            peak = max(peak, seen.memory_info().rss)
            time.sleep(EACH)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode())
    return Run(usage.ru_utime + usage.ru_stime, peak / 1e6)


if __name__ == "__main__":
    main()
