"""Time a grid of 16 cells in one `kedro run`, against cells of it on the plain path in a process each.

Four methods on four tasks, 128 training and 64 test rows, batch 8, one epoch, on the embedded model.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
METHODS = ("bitfit", "ia3", "prefix_tuning", "lora")
TASKS = ("sst2", "cola", "wsc", "svamp")
PARAMETERS = """
training: {epochs: 1, batch_size: 8, evaluations: 1}
sampling: {train_rows: 128, validation_rows: 16, test_rows: 64}
"""


def main() -> None:
    """Run the grid, then some of its cells the plain way, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument(
        "--baseline", nargs="*", default=["lora"], choices=METHODS, help="methods to time the plain way"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wall, cpu = run_grid(Path(scratch), args.raw.resolve())
    print(f"\ngrid: {len(METHODS) * len(TASKS)} cells, {wall:.0f} s wall, {cpu:.0f} CPU s, in one process")
    plain = [plain_cell(args, method, task) for method in args.baseline for task in TASKS]
    if plain:
        walls, cpus = zip(*plain, strict=True)
        share = len(METHODS) * len(TASKS) / len(plain)
        print(f"plain path, {len(plain)} cells in a process each: {sum(walls):.0f} s wall, {sum(cpus):.0f} CPU s")
        print(f"ratio, {share:.0f} x the plain cells over the grid: wall {share * sum(walls) / wall:.2f}, ", end="")
        print(f"CPU {share * sum(cpus) / cpu:.2f}")


def run_grid(scratch: Path, raw: Path) -> tuple[float, float]:
    """One `kedro run` of the grid into an empty store: wall and CPU seconds of the whole process."""
    conf = scratch / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    bench = conf / "bench"
    bench.mkdir()
    (bench / "parameters.yml").write_text(PARAMETERS)
    lists = f"methods: [{', '.join(METHODS)}]\ntasks: [{', '.join(TASKS)}]\n"
    (bench / "grid.yml").write_text(f"{lists}models: [smollm2_135m]\nseeds: [s0]\n")
    kedro = Path(sys.executable).with_name("kedro")
    command = [kedro, "run", "--pipelines=benchmark", f"--conf-source={conf}", "--env=bench"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([*command, f"--params=store={scratch}/store,raw={raw}"], cwd=PROJECT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def plain_cell(args: argparse.Namespace, method: str, task: str) -> tuple[float, float]:
    """One cell on the plain path in a process of its own, its start included: wall and CPU seconds."""
    script = Path(__file__).with_name("cell.py")
    options = ["--path=plain", f"--raw={args.raw}", f"--method={method}", f"--task={task}", "--train=128", "--test=64"]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=True)
    wall, cpu = re.search(r'"total": \[([\d.]+), ([\d.]+)\]', done.stdout).groups()
    print(f"plain {method} {task}: {float(wall):.0f} s wall, {float(cpu):.0f} CPU s")
    return float(wall), float(cpu)


if __name__ == "__main__":
    main()
