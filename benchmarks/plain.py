"""One LoRA cell by a whole `kedro run`, and by a plain script of transformers' Trainer and peft, and of TRL.

All are processes of one thread, one after the other, with the same weights, prompts, method and limits; the plain
scripts read the prompts that the run has made. Compared are whole processes, imports, reading and the report included.
TRL needs an environment of its own, which is made in the folder that `--trl` names.
"""

import json
import sys
import tempfile
from pathlib import Path

from sides import (
    MODEL,
    PROJECT,
    Cell,
    cell_of,
    cell_parser,
    compare,
    environment,
    kedro_run,
    prompts_of,
    rows_of,
    timed,
)

TRL = ["torch==2.13.0", "trl==1.16.0", "transformers==5.24.0", "peft==0.21.2", "pandas>=3", "pyarrow", "jinja2"]


def main() -> None:
    """Run the sides and print their figures and ratios."""
    parser = cell_parser(__doc__)
    parser.add_argument("--trl", type=Path, help="run TRL too, in an environment that is made in this folder")
    args = parser.parse_args()
    cell = cell_of(args)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        sides = {"kedro run": timed(kedro_run(scratch, cell))}
        sides["Trainer and peft"] = timed(plain_script(scratch, cell))
        if args.trl:
            python = environment(args.trl.resolve(), TRL)
            sides["TRL"] = timed([str(python), *plain_script(scratch, cell)[1:], "--trl"])
        print((scratch / "store/08_reporting/results.md").read_text())
    compare(cell, sides)


def plain_script(scratch: Path, cell: Cell) -> list[str]:
    """The command of the plain script for a cell whose run has made `scratch/store`."""
    task, config, training = rows_of(cell)
    return [
        sys.executable, str(Path(__file__).with_name("plain_trainer.py")),
        f"--weights={PROJECT / 'data/01_raw/models' / MODEL}",
        f"--prompts={prompts_of(scratch / 'store', cell.task)}",
        f"--config={json.dumps(config)}",
        f"--learning-rate={training['learning_rate']}",
        f"--max-length={training['max_length']}",
        f"--max-new-tokens={task['max_new_tokens']}",
        f"--output={scratch}",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
