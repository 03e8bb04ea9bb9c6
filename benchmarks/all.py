"""The tables of docs/speed.md, measured one after another: what each script prints goes to a file, its tables here.

    .venv/bin/python benchmarks/all.py --raw ROWS --output FOLDER

The environments of TRL and PEFT-Factory are made in the folder `--environments`, from the package index. What has a
file in the output folder already is not measured again, so that a run that was interrupted goes on.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from sides import ONE_THREAD, PROJECT

SST2, SST2_512, SVAMP = ("--task=sst2",), ("--task=sst2", "--train=512", "--test=200"), ("--task=svamp",)
MULTIRC = ("--task=multirc", "--unit=group")
WITHOUT_ROWS = {"masked.py", "plan.py"}


def commands(environments: Path) -> dict[str, tuple[str, ...]]:
    """The scripts with their options, by the name of the file of their figures; most take `--raw` too."""
    factory, trl = f"--environment={environments / 'peftfactory'}", f"--trl={environments / 'trl'}"
    return {
        "reference_sst2": ("reference.py", factory, *SST2),
        "reference_svamp": ("reference.py", factory, *SVAMP),
        "reference_sst2_512": ("reference.py", factory, *SST2_512),
        "plain_sst2": ("plain.py", trl, *SST2),
        "plain_multirc_groups": ("plain.py", *MULTIRC),
        "plain_multirc_questions": ("plain.py", "--task=multirc"),
        "floor_sst2": ("floor.py", *SST2),
        "floor_svamp": ("floor.py", *SVAMP),
        "floor_multirc": ("floor.py", *MULTIRC),
        "by_operation_sst2": ("by_operation.py", *SST2),
        "grid": ("grid.py",),
        "busy": ("busy.py",),
        "growth": ("growth.py",),
        "cell": ("cell.py", "--threads=1", "--train=128", "--test=64"),
        "masked": ("masked.py",),
        "plan": ("plan.py",),
        "idle": ("idle.py",),
    }


def main() -> None:
    """Run what has no file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, required=True, help="folder of raw rows: sst2/train.parquet and so on")
    parser.add_argument("--output", type=Path, required=True, help="folder of a text file a script")
    parser.add_argument("--environments", type=Path, default=PROJECT / "build", help="folder of TRL and PEFT-Factory")
    names = sorted(commands(PROJECT))
    parser.add_argument("--only", nargs="*", choices=names, default=names, metavar="NAME", help=" ".join(names))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for name, (script, *options) in commands(args.environments.resolve()).items():
        file = args.output / f"{name}.txt"
        if name in args.only and not file.exists():
            raw = [] if script in WITHOUT_ROWS else [f"--raw={args.raw.resolve()}"]
            print(f"\n## {name}\n", flush=True)
            file.write_text(measured([str(Path(__file__).with_name(script)), *options, *raw]))


def measured(command: list[str]) -> str:
    """What a script prints; its tables and what stands beside them are shown."""
    environment = {**os.environ, **ONE_THREAD}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    print("\n".join(figures(done.stdout)), flush=True)
    return done.stdout


def figures(printed: str) -> list[str]:
    """The last tables of an output with their titles, without the report of the run that stands before them.

    >>> figures("loading\\n### base\\n| lora | 50.0 |\\n\\nLoRA on cola, 1\\n| | CPU s |\\n2026-01-01, 2 cores")
    ['LoRA on cola, 1', '| | CPU s |', '2026-01-01, 2 cores']
    """
    lines = printed.splitlines()
    titles = [place for place, line in enumerate(lines) if line.startswith("LoRA on ")]
    return lines[titles[0] if titles else 0 :]


if __name__ == "__main__":
    main()
