"""Time a grid of 16 cells in one `kedro run` with workers, against plain scripts one after another on all processors.

Four methods on four tasks of the embedded model, batch 8, one epoch. The plain script (plain_trainer.py) trains LoRA
and reads the prompts that the run has made; its cells of the four tasks stand for those of the other methods too.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import yaml
from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).resolve().parent.parent
MODEL = "smollm2_135m"
METHODS = ("bitfit", "ia3", "prefix_tuning", "lora")
TASKS = ("sst2", "cola", "wsc", "svamp")
QUIET = {"CI": "true", "TOKENIZERS_PARALLELISM": "false"}


def main() -> None:
    """Run the grid, then the plain scripts, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of the run, one thread each")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of a plain script")
    parser.add_argument("--train", type=int, default=128, help="training rows of a task")
    parser.add_argument("--test", type=int, default=64, help="test rows of a task")
    parser.add_argument("--tasks", nargs="*", default=TASKS, choices=TASKS, help="tasks of the grid")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        grid = run_grid(Path(scratch), args)
        plain = [plain_script(Path(scratch), args, task) for task in args.tasks]
    cells, share = len(METHODS) * len(args.tasks), len(METHODS)
    print(f"\n{cells} cells, {args.train} training and {args.test} test rows a task\n")
    print("| | wall s | CPU s |\n|---|---:|---:|")
    print(f"| one `kedro run --workers={args.workers}` | {grid[0]:.0f} | {grid[1]:.0f} |")
    walls, cpus = (sum(each) for each in zip(*plain, strict=True))
    print(f"| {len(plain)} plain scripts of LoRA, {args.threads} threads each | {walls:.0f} | {cpus:.0f} |")
    print(f"| ratio, {share} times the scripts over the run | {share * walls / grid[0]:.2f} | ", end="")
    print(f"{share * cpus / grid[1]:.2f} |\n\n{machine()}")


def run_grid(scratch: Path, args: argparse.Namespace) -> tuple[float, float]:
    """One `kedro run` of the grid into the empty store `scratch/store`: wall and CPU seconds of all its processes."""
    conf = scratch / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    (conf / "bench").mkdir()
    parameters = {
        "training": {"epochs": 1, "batch_size": 8, "evaluations": 1},
        "sampling": {"train_rows": args.train, "validation_rows": 16, "test_rows": args.test},
    }
    grid = {"methods": list(METHODS), "tasks": list(args.tasks), "models": [MODEL], "seeds": ["s0"]}
    for name, content in (("parameters", parameters), ("grid", grid)):
        (conf / "bench" / f"{name}.yml").write_text(yaml.safe_dump(content))
    kedro = str(Path(sys.executable).with_name("kedro"))
    values = f"--params=store={scratch}/store,raw={args.raw.resolve()}"
    options = ["--pipelines=benchmark", f"--conf-source={conf}", "--env=bench", f"--workers={args.workers}"]
    return timed([kedro, "run", *options, values], {"OMP_NUM_THREADS": "1"})


def plain_script(scratch: Path, args: argparse.Namespace, task: str) -> tuple[float, float]:
    """The plain script on the prompts of a task: wall and CPU seconds, its start included."""
    conf = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]
    row, method = conf["tasks"][task], conf["methods"]["lora"]
    training = {**conf["training"], **method.get("training", {})}
    prompts = next((scratch / f"store/05_model_input/{task}").glob("**/train.parquet")).parent
    return timed(
        [
            sys.executable,
            str(Path(__file__).with_name("plain_trainer.py")),
            f"--weights={PROJECT / 'data/01_raw/models' / MODEL}",
            f"--prompts={prompts}",
            f"--config={json.dumps(method['config'])}",
            f"--learning-rate={training['learning_rate']}",
            f"--max-length={row.get('max_length') or training['max_length']}",
            f"--max-new-tokens={row['max_new_tokens']}",
            f"--output={scratch}",
        ],
        {name: str(args.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
    )


def timed(command: list[str], variables: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command with all processes that it starts."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **QUIET, **variables}, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def machine() -> str:
    """The date, the processor, the number of cores and how many processes wanted one in the last minute."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{datetime.now(UTC):%Y-%m-%d}, {name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
