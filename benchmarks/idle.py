"""What a `kedro run` costs beside its work: of one LoRA cell, and of a run with nothing to do, each in fresh processes.

The cell is run twice, each time into an empty store, and only the second run is measured: what a machine checks and
counts once is kept by the first. Then the same run has nothing to do. What is not training, generating or scoring is a
run's processor seconds less those that the cell has on record. Its floor are the imports without which nothing is
trained, alone in a process that collects no garbage. One thread.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from sides import MODEL, Cell, cell_of, cell_parser, kedro_run, machine, timed

IMPORTS = """
import gc
gc.disable()
import torch
from peft import get_peft_model
from transformers import LlamaForCausalLM, Trainer
gc.freeze()
"""
"""What a training of the embedded model cannot do without."""


def main() -> None:
    """Run the cell twice and then nothing, and print a table."""
    cell = cell_of(cell_parser(__doc__ or "").parse_args())
    with tempfile.TemporaryDirectory() as scratch:
        command = kedro_run(Path(scratch), cell)
        timed(command, shown=False)  # checks and counts that are kept for later runs are made here
        store = Path(scratch) / "store"
        shutil.rmtree(store)
        full, worked = timed(command, shown=False), work(store, cell)
        idle, imports = timed(command, shown=False), timed([sys.executable, "-c", IMPORTS], shown=False)
    rest = full.cpu - sum(worked.values())
    print(f"{cell}, one thread\n\n| | CPU s | peak MB |\n|---|---:|---:|")
    print(f"| the whole `kedro run` | {full.cpu:.1f} | {full.peak:,.0f} |")
    for name, seconds in {**worked, "all else": rest}.items():
        print(f"| of it {name} | {seconds:.1f} | |")
    print(f"| the imports that training needs, alone | {imports.cpu:.1f} | {imports.peak:,.0f} |")
    print(f"| the same run again, with nothing to do | {idle.cpu:.1f} | {idle.peak:,.0f} |")
    print(f"| ratio, all else over the whole run | {rest / full.cpu:.2f} | |\n\n{machine()}")


def work(store: Path, cell: Cell) -> dict[str, float]:
    """The processor seconds that a cell's training and generation took; scoring takes less than a tenth of one."""
    folder = store / "07_model_output" / MODEL / cell.task / "lora" / "s0"
    numbers = json.loads((folder / "metrics.json").read_text())
    return {"training": numbers["train_cpu_seconds"], "generation": numbers["generate_cpu_seconds"]}


if __name__ == "__main__":
    main()
