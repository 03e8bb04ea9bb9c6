"""One LoRA cell by a whole `kedro run`, and by a plain script of transformers' Trainer and peft: processor seconds.

Both are processes of one thread, one after the other, with the same weights, prompts, method and limits; the plain
script reads the prompts that the run has made. Compared are whole processes, imports, reading and the report included.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).resolve().parent.parent
MODEL = "smollm2_135m"
VALIDATION = 16


def main() -> None:
    """Run both and print their figures and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--train", type=int, default=128)
    parser.add_argument("--test", type=int, default=64)
    args = parser.parse_args()
    conf = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]
    task, method = conf["tasks"][args.task], conf["methods"]["lora"]
    training = {**conf["training"], **method.get("training", {})}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ours = timed(kedro_run(scratch, args))
        plain = timed([
            sys.executable, str(Path(__file__).with_name("plain_trainer.py")),
            f"--weights={PROJECT / 'data/01_raw/models' / MODEL}",
            f"--prompts={prompts_of(scratch / 'store', args.task)}",
            f"--config={json.dumps(method['config'])}",
            f"--learning-rate={training['learning_rate']}",
            f"--max-length={training['max_length']}",
            f"--max-new-tokens={task['max_new_tokens']}",
            f"--output={scratch}",
        ])  # fmt: skip
        results = (scratch / "store/08_reporting/results.md").read_text()
    print(results)
    print(f"LoRA on {args.task}, {args.train} training and {args.test} test examples, one thread")
    for name, (wall, cpu, peak) in (("kedro run", ours), ("plain script", plain)):
        print(f"{name}: {wall:.1f} s wall, {cpu:.1f} CPU s, {peak:,.0f} MB")
    print(f"ratio: {plain[0] / ours[0]:.2f} in wall seconds, {plain[1] / ours[1]:.2f} in CPU seconds")


def kedro_run(scratch: Path, args: argparse.Namespace) -> list[str]:
    """The command of a run of the one cell into an empty store."""
    conf = scratch / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    (conf / "bench").mkdir()
    limits = {"train_rows": args.train, "validation_rows": VALIDATION, "test_rows": args.test}
    parameters = {"training": {"epochs": 1, "batch_size": 8, "evaluations": 1}, "sampling": limits}
    grid = {"methods": ["lora"], "tasks": [args.task], "models": [MODEL], "seeds": ["s0"]}
    for name, content in (("parameters", parameters), ("grid", grid)):
        (conf / "bench" / f"{name}.yml").write_text(yaml.safe_dump(content))
    kedro = str(Path(sys.executable).with_name("kedro"))
    values = f"--params=store={scratch}/store,raw={args.raw.resolve()}"
    return [kedro, "run", "--pipelines=benchmark", f"--conf-source={conf}", "--env=bench", values]


def prompts_of(store: Path, task: str) -> Path:
    """The folder of the prompts that the run has made."""
    return next(store.glob(f"05_model_input/{task}/**/train.parquet")).parent


def timed(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak memory in 10^6 bytes of a command of one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "CI": "true"}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(printed)
    print(printed)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
