"""One LoRA cell by a whole `kedro run`, and by PEFT-Factory: a process to train and a process to predict.

Same weights, prompts, method, batch and limits, one thread, one after the other. PEFT-Factory stands in an environment
of its own, which is made in the folder `--environment` from the package index. Its set-up is its fastest: no gradient
checkpointing, no evaluation while it trains, batches of like length; no hub is asked for anything.
"""

import json
import tempfile
from pathlib import Path

import pandas as pd
import sides
import yaml
from sides import Cell, Cost, timed

PEFT_FACTORY = [
    "peftfactory==0.9.4.8",
    "torch==2.13.0",
    "pyarrow==20.0.0",
    "jieba==0.42.1",
    "nltk==3.10.4",
    "rouge-chinese==1.0.3",
]
"""Later releases of pyarrow need a numpy that it forbids; the last three it asks for when it predicts."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""The system turn of the model's chat template; PEFT-Factory's own ends in a full stop."""


def main() -> None:
    """Run both and print their figures and ratios."""
    parser = sides.cell_parser(__doc__)
    parser.add_argument(
        "--environment", type=Path, default=sides.PROJECT / "build/peftfactory", help="made if it is not there"
    )
    args = parser.parse_args()
    cell = sides.cell_of(args)
    python = sides.environment(args.environment.resolve(), PEFT_FACTORY)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        ours = timed(sides.kedro_run(scratch, cell))
        train, predict = peft_factory(scratch, cell, python)
        print((scratch / "store/08_reporting/results.md").read_text())
        print(f"PEFT-Factory: {right(scratch / 'predict/generated_predictions.jsonl'):.1f} % right\n")
    costs = {"kedro run": ours, "PEFT-Factory": train.then(predict), "its training": train, "its prediction": predict}
    sides.compare(cell, costs)


def peft_factory(scratch: Path, cell: Cell, python: Path) -> tuple[Cost, Cost]:
    """The costs of its training and of its prediction on the prompts of the run in `scratch/store`."""
    write_data(scratch, sides.prompts_of(scratch / "store", cell.task))
    task, config, training = sides.rows_of(cell)
    shared = {
        "stage": "sft",
        "model_name_or_path": str(sides.PROJECT / "data/01_raw/models" / sides.MODEL),
        "finetuning_type": "lora",
        "dataset_dir": str(scratch / "data"),
        "template": "smollm2",
        "default_system": SYSTEM,
        "cutoff_len": training["max_length"],
        "overwrite_cache": True,
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
    }
    train = {
        "do_train": True,
        "dataset": "train",
        "output_dir": str(scratch / "adapter"),
        "lora_rank": config["r"],
        "lora_alpha": config["lora_alpha"],
        "lora_dropout": config["lora_dropout"],
        "lora_target": ",".join(config["target_modules"]),
        "num_train_epochs": 1,
        "per_device_train_batch_size": sides.BATCH,
        "learning_rate": training["learning_rate"],
        "lr_scheduler_type": "linear",
        "warmup_ratio": 0.06,
        "group_by_length": True,
        "disable_gradient_checkpointing": True,
    }
    predict = {
        "do_predict": True,
        "predict_with_generate": True,
        "eval_dataset": "test",
        "adapter_name_or_path": str(scratch / "adapter"),
        "output_dir": str(scratch / "predict"),
        "per_device_eval_batch_size": sides.BATCH,
        "max_new_tokens": task["max_new_tokens"],
        "do_sample": False,
    }
    costs = []
    for name, own in (("train", train), ("predict", predict)):
        (scratch / f"{name}.yaml").write_text(yaml.safe_dump(shared | own))
        command = [str(python.with_name("peftfactory-cli")), "train", str(scratch / f"{name}.yaml")]
        costs.append(timed(command, **OFFLINE))
    return costs[0], costs[1]


def write_data(scratch: Path, prompts: Path) -> None:
    """The prompts and first right answers in PEFT-Factory's format, with the list of its data sets."""
    folder = scratch / "data"
    folder.mkdir()
    for split in ("train", "test"):
        rows = pd.read_parquet(prompts / f"{split}.parquet").to_dict("records")
        turns = [{"instruction": row["prompt"], "input": "", "output": row["references"][0]} for row in rows]
        (folder / f"{split}.json").write_text(json.dumps(turns))
    (folder / "dataset_info.json").write_text(
        json.dumps({name: {"file_name": f"{name}.json"} for name in ("train", "test")})
    )


def right(predictions: Path) -> float:
    """The share of its answers that are the right one, in percent."""
    rows = [json.loads(line) for line in predictions.read_text().splitlines()]
    return 100 * sum(row["predict"].strip() == row["label"].strip() for row in rows) / len(rows)


if __name__ == "__main__":
    main()
