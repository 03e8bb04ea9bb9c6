"""Time one cell by phase: packed, with the other short cuts alone, and on the plain path, each in a fresh process.

LoRA of rank 16 on k_proj, v_proj and down_proj, SST-2, batch 8, one epoch, on the embedded model.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SHORTCUTS = ("packed_batches", "group_batches", "shared_prefix", "label_positions_only", "length_buckets")
PATHS = {"packed": SHORTCUTS, "unpacked": SHORTCUTS[2:], "plain": ()}
LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "target_modules": ["k_proj", "v_proj", "down_proj"]}


def main() -> None:
    """Run all paths and print them side by side, with each one's ratio to the packed one."""
    args = arguments()
    if args.path:
        print(json.dumps(cell(args)))
        return
    reports = {path: child(path) for path in PATHS}
    print(
        f"\n{args.method} on {args.task}: {args.train} training rows, {args.test} test rows, {args.threads} threads\n"
    )
    print(f"{'phase':<12}" + "".join(f"{path + ' wall':>15}{'cpu':>8}{'ratio':>7}" for path in PATHS))
    for phase in reports["packed"]["phases"]:
        seconds = [report["phases"][phase] for report in reports.values()]
        print(
            f"{phase:<12}"
            + "".join(f"{wall:>15.1f}{cpu:>8.1f}{cpu / (seconds[0][1] or 1):>7.2f}" for wall, cpu in seconds)
        )
    for path, report in reports.items():
        print(f"{path}: peak {report['peak_mb']:.0f} MB, {report['scores']}")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--weights", type=Path, default=PROJECT / "data/01_raw/models/smollm2_135m")
    parser.add_argument("--method", default="lora", help="a method row; lora is widened to rank 16 on three targets")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--train", type=int, default=512)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--path", choices=tuple(PATHS), help="run one path only and print JSON")
    return parser.parse_args()


def child(path: str) -> dict:
    """One path in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--path", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def cell(args: argparse.Namespace) -> dict:
    """The nodes of one cell in order, timed."""
    clock = Clock()
    import torch  # noqa: PLC0415  (the import is one of the phases)
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415

    from peft_pipelines.config import LrSearchSpec, Parameters  # noqa: PLC0415
    from peft_pipelines.data.adapt import adapt, instruct  # noqa: PLC0415
    from peft_pipelines.pipelines.cells.construct import construct  # noqa: PLC0415
    from peft_pipelines.pipelines.cells.generate import generate  # noqa: PLC0415
    from peft_pipelines.pipelines.cells.score import score  # noqa: PLC0415
    from peft_pipelines.pipelines.cells.train import train  # noqa: PLC0415
    from peft_pipelines.storage.checkpoint import CheckpointFolder  # noqa: PLC0415
    from peft_pipelines.storage.splits import RowsFolder  # noqa: PLC0415

    torch.set_num_threads(args.threads)
    loader = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")
    rows = Parameters.of(loader["parameters"])
    task, method = rows.tasks[args.task], rows.methods[args.method]
    if args.method == "lora":
        method = method.model_copy(update={"config": LORA})
    switches = {name: name in PATHS[args.path] for name in SHORTCUTS}
    training_args = rows.training.model_copy(update={"epochs": 1.0, "batch_size": 8, "evaluations": 1, **switches})
    limits = {"train_rows": args.train, "validation_rows": 16, "test_rows": args.test}
    model = rows.models[args.weights.name]
    clock.lap("import")

    raw = RowsFolder(filepath=str(args.raw / args.task)).load()
    prompts = instruct(adapt(raw, task, rows.sampling.model_copy(update=limits)), task)
    clock.lap("data")
    with tempfile.TemporaryDirectory() as folder:
        ready = construct(method, model, training_args, args.weights, seed=0)
        clock.lap("construct")
        trained = train(
            ready, prompts, Path(folder, "state"), task, training_args, seed=0, lr_search=LrSearchSpec(factors=(1.0,))
        )
        store = CheckpointFolder(filepath=f"{folder}/checkpoint")
        store.save(trained)
        clock.lap("train")
        predictions, cost = generate(method, model, training_args, args.weights, store.load(), prompts, task, seed=0)
        clock.lap("generate")
        scores = score(predictions, cost, store.load(), task, rows.pscp, rows.execution)
        clock.lap("score")
    clock.total()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wanted = {name: round(scores[name], 3) for name in task.metrics if name in scores}
    return {"phases": clock.phases, "peak_mb": peak, "scores": wanted}


class Clock:
    """Wall and processor seconds by phase."""

    def __init__(self) -> None:
        self.phases: dict[str, tuple[float, float]] = {}
        self.last = (time.perf_counter(), time.process_time())

    def lap(self, phase: str) -> None:
        """End a phase."""
        now = (time.perf_counter(), time.process_time())
        self.phases[phase] = (now[0] - self.last[0], now[1] - self.last[1])
        self.last = now

    def total(self) -> None:
        """Add the sum of all phases."""
        self.phases["total"] = tuple(map(sum, zip(*self.phases.values(), strict=True)))


if __name__ == "__main__":
    main()
