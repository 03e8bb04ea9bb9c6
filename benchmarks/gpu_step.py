"""Training steps of LoRA on SST-2 by the Trainer of this project and by a plain one, in one process.

`gpu.py` runs it. Each side trains the same adapter on the same rows, in batches of eight, and is measured inside its
Trainer (`meter.py`). Ours runs twice, with FlexAttention and without; where it can't run with it, the reason stands in
its place.
"""

import argparse
import gc
import json
import os
from pathlib import Path
from statistics import fmean
from typing import Any

from gpu_models import model_row
from meter import Meter
from sides import BATCH, PROJECT, Cell, rows_of

SIDES = ("flex", "usual", "plain")


def main() -> None:
    """Measure each side and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the model")
    parser.add_argument("--dtype", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--steps", type=int, nargs=3, required=True, help="before, measured, and profiled")
    parser.add_argument("--output", type=Path, required=True, help="folder of steps.json; scratch too")
    args = parser.parse_args()
    rows = prompts(BATCH * (sum(args.steps) + 1))
    figures = {}
    for side in SIDES:
        figures[side] = plain(args, rows) if side == "plain" else ours(args, rows, flex=side == "flex")
        gc.collect()
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "steps.json").write_text(json.dumps(figures))


def prompts(count: int) -> Any:
    """The splits of the task with as many training rows as the steps need."""
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415  (imports are no part of what is measured)

    from peft_pipelines.config import Parameters  # noqa: PLC0415
    from peft_pipelines.data.adapt import adapt, instruct  # noqa: PLC0415
    from peft_pipelines.storage.splits import RowsFolder  # noqa: PLC0415

    loader = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")
    found = Parameters.of(loader["parameters"])
    limits = {"train_rows": count, "validation_rows": 8, "test_rows": 8}
    raw = RowsFolder(filepath=str(PROJECT / "data/01_raw/samples/sst2")).load()
    task = found.tasks["sst2"]
    return instruct(adapt(raw, task, found.sampling.model_copy(update=limits)), task)


def ours(args: argparse.Namespace, splits: Any, *, flex: bool) -> dict[str, Any]:
    """The figures of this project's Trainer, or why it does not run by FlexAttention."""
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415

    from peft_pipelines.config import ModelSpec, Parameters, parse  # noqa: PLC0415
    from peft_pipelines.data.tokenize import Prompter, training_examples  # noqa: PLC0415
    from peft_pipelines.methods import providers  # noqa: PLC0415
    from peft_pipelines.models import base_model  # noqa: PLC0415
    from peft_pipelines.models.sizes import sized  # noqa: PLC0415
    from peft_pipelines.training.label_logits import LabelLogits  # noqa: PLC0415
    from peft_pipelines.training.shortcuts import Shortcuts  # noqa: PLC0415
    from peft_pipelines.training.trainer import CellTrainer, TrainingJob  # noqa: PLC0415

    found = Parameters.of(
        OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]
    )
    spec = parse(ModelSpec, "model 'measured'", model_row(args.weights, args.dtype))
    base = base_model.load(spec, args.weights)
    prompter = Prompter.of(base.spec, base.tokenizer, found.training.max_length)
    rows, validation = (training_examples(prompter, splits[name].to_pylist()) for name in ("train", "validation"))
    training_args = found.training.model_copy(update={"flex_attention": flex, "batch_size": BATCH, "evaluations": 1})
    attached = providers.attach(base_model.clone(base.model), found.methods["lora"], 0)
    training_args = sized(training_args, attached, prompter.max_length)
    shortcuts = Shortcuts.of(attached, training_args)
    if flex and not shortcuts.flex_attention:
        return {"refused": shortcuts.reasons["flex_attention"]}
    attached.plain.train()
    model, meter = LabelLogits(attached, shortcuts, [], training_args.tokens_per_forward), Meter(*args.steps)
    pad = int(base.tokenizer.pad_token_id)
    trainer = CellTrainer(model, TrainingJob(rows, validation, training_args, 0, pad, args.output / f"state_{flex}"))
    trainer.add_callback(meter)
    trainer.train()
    tokens = fmean(len(row.ids) for row in rows)
    return {**meter.figures, **pace(meter, tokens), "attention": shortcuts.attention}


def plain(args: argparse.Namespace, splits: Any) -> dict[str, Any]:
    """The figures of the plain Trainer."""
    import plain_trainer  # noqa: PLC0415
    from transformers import AutoTokenizer  # noqa: PLC0415

    _, config, training = rows_of(Cell(Path(), "sst2", 1, 1, "question"))
    values = {**vars(args), "config": config, "learning_rate": training["learning_rate"], "trl": False}
    values["max_length"] = training["max_length"]
    tables = {name: splits[name].to_pylist() for name in ("train", "validation")}
    meter, tokenizer = Meter(*args.steps), AutoTokenizer.from_pretrained(args.weights)
    trainer = plain_trainer.trainer_of(argparse.Namespace(**values), tokenizer, tables)
    trainer.add_callback(meter)
    trainer.train()
    return {**meter.figures, **pace(meter, fmean(len(row["input_ids"]) for row in trainer.train_dataset))}


def pace(meter: Meter, tokens: float) -> dict[str, float]:
    """Tokens a second, where a row has so many on average: prompts and answers, padding left out."""
    return {"tokens_a_second": BATCH * tokens / meter.figures["seconds_a_step"]}


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
