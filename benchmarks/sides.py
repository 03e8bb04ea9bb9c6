"""What the benchmarks of two sides share: the cell, its `kedro run`, the cost of a command, and what is printed."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import yaml
from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).resolve().parent.parent
MODEL = "smollm2_135m"
BATCH, VALIDATION = 8, 16
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "CI": "true"}
EACH = 0.02
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock, seconds of the processor, and its peak memory in 10^6 bytes."""

    wall: float
    cpu: float
    peak: float

    def then(self, other: "Cost") -> "Cost":
        """The cost of both commands, one after the other."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


@dataclass(frozen=True)
class Cell:
    """A LoRA cell of the embedded model: a task, its numbers of examples, and the folder with a folder a task."""

    raw: Path
    task: str
    train: int
    test: int
    unit: str
    """What is drawn whole for training: example, question or group."""

    def __str__(self) -> str:
        return f"LoRA on {self.task}, {self.train} training and {self.test} test examples, drawn by {self.unit}"


def cell_parser(doc: str) -> argparse.ArgumentParser:
    """The options that name a cell."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--train", type=int, default=128)
    parser.add_argument("--test", type=int, default=64)
    parser.add_argument("--unit", default="question", choices=("example", "question", "group"))
    return parser


def cell_of(args: argparse.Namespace) -> Cell:
    """The cell that the options name."""
    return Cell(args.raw.resolve(), args.task, args.train, args.test, args.unit)


def rows_of(cell: Cell) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The task's row, the fields of LoRA's config, and the training arguments of the cell."""
    conf = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]
    task, method = conf["tasks"][cell.task], conf["methods"]["lora"]
    overrides = {name: task[name] for name in ("max_length",) if name in task}
    return task, method["config"], {**conf["training"], **method.get("training", {}), **overrides}


def kedro_run(scratch: Path, cell: Cell, **training: object) -> list[str]:
    """The command of a run of the one cell into the empty store `scratch/store`, with training arguments of its own."""
    conf = scratch / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    (conf / "bench").mkdir()
    limits = {"train_rows": cell.train, "validation_rows": VALIDATION, "test_rows": cell.test, "train_unit": cell.unit}
    parameters = {"training": {"epochs": 1, "batch_size": BATCH, "evaluations": 1, **training}, "sampling": limits}
    grid = {"methods": ["lora"], "tasks": [cell.task], "models": [MODEL], "seeds": ["s0"]}
    for name, content in (("parameters", parameters), ("grid", grid)):
        (conf / "bench" / f"{name}.yml").write_text(yaml.safe_dump(content))
    kedro = str(Path(sys.executable).with_name("kedro"))
    values = f"--params=store={scratch}/store,raw={cell.raw}"
    return [kedro, "run", "--pipelines=benchmark", f"--conf-source={conf}", "--env=bench", values]


def prompts_of(store: Path, task: str) -> Path:
    """The folder of the prompts that the run has made."""
    return next(store.glob(f"05_model_input/{task}/**/train.parquet")).parent


def timed(command: list[str], *, shown: bool = True, **environment: str) -> Cost:
    """Run a command with one thread to its end, print what it prints where that is to be shown, return what it took.

    Its memory is looked at all the time: a `kedro run` resets the kernel's own peak, which counts for other commands.
    """
    start, peak, pid = time.perf_counter(), 0, 0
    variables = {**os.environ, **ONE_THREAD, **environment}
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=printed, stderr=said)
        seen = psutil.Process(process.pid)
        while not pid:
            peak = max(peak, seen.memory_info().rss)
            time.sleep(EACH)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)  # of this process and its children alone
        wall, process.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
        for file in (printed, said):
            file.seek(0)
        if process.returncode:
            sys.exit(f"{printed.read()}\n{said.read()}")
        if shown:
            print(printed.read())
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(peak, usage.ru_maxrss * 1024) / 1e6)


def environment(folder: Path, packages: list[str]) -> Path:
    """The Python of an environment with these packages, made in the folder if they are not there."""
    made = folder / "installed.json"
    if not made.exists() or json.loads(made.read_text()) != packages:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *packages], check=True)
        made.write_text(json.dumps(packages))
    return folder / "bin/python"


def compare(title: object, sides: Mapping[str, Cost]) -> None:
    """Print the sides as a table, the first of them with the ratios of the others to it."""
    ours = next(iter(sides.values()))
    print(f"{title}, one thread\n\n| | wall s | CPU s | peak MB | wall ratio | CPU ratio | MB ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, side in sides.items():
        ratios = (side.wall / ours.wall, side.cpu / ours.cpu, side.peak / ours.peak)
        figures = f"{side.wall:.1f} | {side.cpu:.1f} | {side.peak:,.0f}"
        print(f"| {name} | {figures} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    print(f"\n{machine()}\n", flush=True)


def machine() -> str:
    """The date, the processor, the number of cores and how many processes wanted one in the last minute."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    load = os.getloadavg()[0]
    return f"{datetime.now(UTC):%Y-%m-%d}, {name}, {os.cpu_count()} cores, load {load:.1f}"
