"""The figures of one GPU, within minutes: steps and whole cells beside plain scripts, and several cells at once.

    .venv/bin/python benchmarks/gpu.py --output FOLDER

Models are SmolLM2-135M (`kedro fetch` has put it into data/01_raw/models) and a Llama of 1.1 billion random weights, in
bfloat16; the task is SST-2 on the embedded rows. No part begins after `--minutes`; what was not measured is named. The
folder gets gpu.json and gpu.md, both written anew after each part. `--tiny --device cpu` runs all parts with a small
model on a CPU, to see that they work: its figures mean nothing.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from gpu_models import WEIGHTS, model_row, random_llama
from gpu_tables import page
from plain import plain_script
from sides import MODEL, PROJECT, Cell, kedro_run, machine, timed

STEPS, TINY_STEPS = (6, 20, 2), (1, 2, 1)
CROWDS, TINY_CROWDS = (2, 4), (2,)
Part = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Setup:
    """What is measured: the device, the precision, the folder of each model, numbers of steps, and of cells at once."""

    device: str
    dtype: str
    models: dict[str, Path]
    cell: Cell
    steps: tuple[int, ...]
    crowds: tuple[int, ...]


def main() -> None:
    """Run all parts and write their figures; the exit code is 1 where there is no such device or a part has failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of gpu.json and gpu.md")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true", help="a small model and few rows")
    parser.add_argument("--minutes", type=float, default=6.5, help="no part begins later; the last takes about one")
    args = parser.parse_args()
    if args.device == "cpu" and not args.tiny:
        sys.exit("--device=cpu: must come with --tiny, the figures are those of a GPU")
    name = device_name(args.device)
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        setup = setup_of(args, Path(folder))
        failed = measure(parts(setup, Path(folder)), args, {"device": name, "machine": machine()})
    sys.exit(f"failed: {', '.join(failed)}; {args.output / 'gpu.json'} says how" if failed else 0)


def device_name(device: str) -> str:
    """The device's name; for a CPU it is hidden from the processes to come that there is a GPU.

    Raises:
        SystemExit: there is no such device.
    """
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return "CPU"
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # of several the plain Trainer would take all
    import torch  # noqa: PLC0415  (the variables above are set first)

    if not torch.cuda.is_available():
        sys.exit("no CUDA device is there, or torch is built without CUDA: nothing was measured")
    return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"


def setup_of(args: argparse.Namespace, scratch: Path) -> Setup:
    """What the options ask for; models of random weights are made."""
    raw = PROJECT / "data/01_raw/samples"
    if args.tiny:
        models = {"tiny": random_llama("tiny", "float32", scratch)}
        return Setup(args.device, "float32", models, Cell(raw, "sst2", 8, 4, "question"), TINY_STEPS, TINY_CROWDS)
    models = {MODEL: WEIGHTS, "llama_1b": random_llama("llama_1b", "bfloat16", scratch)}
    return Setup(args.device, "bfloat16", models, Cell(raw, "sst2", 256, 128, "question"), STEPS, CROWDS)


def parts(setup: Setup, scratch: Path) -> dict[str, Part]:
    """What is measured, by name, what matters most first."""
    found: dict[str, Part] = {}
    for place, name in enumerate(setup.models):
        found[f"steps {name}"] = lambda name=name: steps(setup, name, scratch / f"steps_{name}")
        found[f"cell {name}"] = lambda name=name: cell(setup, name, scratch / f"cell_{name}")
        for crowd in () if place else setup.crowds:
            folder = scratch / f"crowd_{crowd}"
            found[f"{crowd} cells {name}"] = lambda n=name, to=folder, crowd=crowd: cells(setup, n, to, crowd)
    return found


def measure(todo: dict[str, Part], args: argparse.Namespace, facts: dict[str, Any]) -> list[str]:
    """Run the parts while there is time, write their figures after each, and return the names of those that failed."""
    begun, figures = time.perf_counter(), {}
    for name, part in todo.items():
        late = time.perf_counter() - begun > 60 * args.minutes
        figures[name] = {"left out": f"{args.minutes:g} minutes were over"} if late else taken(part)
        whole = {**facts, "minutes": (time.perf_counter() - begun) / 60, "parts": figures}
        (args.output / "gpu.json").write_text(json.dumps(whole, indent=2))
        (args.output / "gpu.md").write_text(page(whole))
    print((args.output / "gpu.md").read_text())
    return [name for name, found in figures.items() if "failed" in found]


def taken(part: Part) -> dict[str, Any]:
    """The figures of a part with the seconds that it took, or how it failed."""
    start = time.perf_counter()
    try:
        figures = part()
    except SystemExit as error:  # a command failed; what it printed is long, its end says why
        return {"failed": str(error).strip()[-2000:]}
    return {**figures, "took_seconds": time.perf_counter() - start}


def steps(setup: Setup, model: str, scratch: Path) -> dict[str, Any]:
    """Steps of both Trainers, by side."""
    command = [sys.executable, str(Path(__file__).with_name("gpu_step.py")), f"--weights={setup.models[model]}"]
    command += [f"--dtype={setup.dtype}", f"--device={setup.device}", f"--output={scratch}", "--steps"]
    timed([*command, *map(str, setup.steps)], shown=False)
    found: dict[str, Any] = json.loads((scratch / "steps.json").read_text())
    return found


def cell(setup: Setup, model: str, scratch: Path) -> dict[str, Any]:
    """A whole cell by `kedro run` and by the plain script, on the same prompts."""
    ours = timed(run_of(setup, model, scratch, 1), shown=False)
    numbers = numbers_of(scratch)
    script = [*plain_script(scratch, setup.cell), f"--weights={setup.models[model]}"]
    plain = timed([*script, f"--device={setup.device}", f"--dtype={setup.dtype}"], shown=False)
    phases = {key: value for key, value in numbers[0].items() if key.endswith(("_seconds", "_memory_gb", "_attention"))}
    return {"kedro run": {"seconds": ours.wall, **phases}, "plain": {"seconds": plain.wall}}


def cells(setup: Setup, model: str, scratch: Path, crowd: int) -> dict[str, Any]:
    """So many cells at once on the device, of as many seeds, in one run with a worker each; `cell` has one alone."""
    shared = [f"--workers={crowd}", *([f"--per-gpu={crowd}"] if setup.device == "cuda" else [])]
    taken = timed([*run_of(setup, model, scratch, crowd), *shared], shown=False)
    peaks = [numbers["train_peak_memory_gb"] for numbers in numbers_of(scratch)]
    return {"seconds": taken.wall, "seconds_a_cell": taken.wall / crowd, "cells": len(peaks), "peak_gb": sum(peaks)}


def run_of(setup: Setup, model: str, scratch: Path, seeds: int) -> list[str]:
    """The command of a run of LoRA on a model of the setup, from so many seeds, into `scratch/store`."""
    scratch.mkdir(parents=True)
    command = kedro_run(scratch, setup.cell)
    conf = scratch / "conf/bench"
    parameters, grid = (yaml.safe_load((conf / f"{name}.yml").read_text()) for name in ("parameters", "grid"))
    parameters["models"] = {"measured": model_row(setup.models[model], setup.dtype)}
    grid |= {"models": ["measured"], "seeds": [f"s{seed}" for seed in range(seeds)]}
    for name, content in (("parameters", parameters), ("grid", grid)):
        (conf / f"{name}.yml").write_text(yaml.safe_dump(content))
    return command


def numbers_of(scratch: Path) -> list[dict[str, Any]]:
    """The numbers of the cells of a run."""
    found = sorted((scratch / "store").glob("07_model_output/**/metrics.json"))
    return [json.loads(path.read_text()) for path in found]


if __name__ == "__main__":
    main()
