"""What a good user would write without this project: transformers' Trainer, peft, batched generation. One cell.

Answers alone have a loss, batches group examples of like length, prompts are sorted by length for generation, and keys
and values are kept. With `--trl` TRL's SFTTrainer trains in place of the Trainer, on the same tokens. `plain.py` runs
it beside a `kedro run` of the same cell; it imports nothing of this project.
"""

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import pandas as pd
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments

BATCH, GENERATION_BATCH = 8, 32


def main() -> None:
    """Train, answer the test prompts, and print seconds, processor seconds and the share of right answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the model")
    parser.add_argument("--prompts", type=Path, required=True, help="folder of train, validation and test.parquet")
    parser.add_argument("--config", type=json.loads, required=True, help="the fields of the LoRA config, as JSON")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--max-new-tokens", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--trl", action="store_true", help="train by TRL's SFTTrainer")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.weights)
    rows = {path.stem: pd.read_parquet(path).to_dict("records") for path in args.prompts.glob("*.parquet")}
    marks = [(time.perf_counter(), time.process_time())]
    model = trained(args, tokenizer, rows)
    marks.append((time.perf_counter(), time.process_time()))
    answers = answered(args, model.eval(), tokenizer, [row["prompt"] for row in rows["test"]])
    marks.append((time.perf_counter(), time.process_time()))
    right = [answer.strip() in row["references"] for answer, row in zip(answers, rows["test"], strict=True)]
    (args.output / "answers.json").write_text(json.dumps(answers))
    for phase, (before, after) in zip(("train", "generate"), pairwise(marks), strict=True):
        print(f"{phase}: {after[0] - before[0]:.1f} s wall, {after[1] - before[1]:.1f} CPU s")
    if args.device == "cuda":
        print(f"peak: {torch.cuda.max_memory_allocated() / 1e9:.2f} GB")
    print(f"right: {100 * sum(right) / len(right):.1f} %")


def trained(args: argparse.Namespace, tokenizer, rows: dict):
    """The adapter after one epoch."""
    trainer = trainer_of(args, tokenizer, rows)
    trainer.train()
    return trainer.model


def trainer_of(args: argparse.Namespace, tokenizer, rows: dict):
    """The trainer of one epoch, its model an adapter on the base."""
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(args.weights, dtype=getattr(torch, args.dtype))
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **args.config))
    train, validation = (
        [encoded(row, tokenizer, args.max_length) for row in rows[name]] for name in ("train", "validation")
    )
    settings = {
        "output_dir": str(args.output / "trainer"),
        "num_train_epochs": 1,
        "per_device_train_batch_size": BATCH,
        "per_device_eval_batch_size": GENERATION_BATCH,
        "learning_rate": args.learning_rate,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": args.device == "cpu",
        "bf16": args.dtype == "bfloat16",
    }
    if args.trl:
        return sft_trainer(model, tokenizer, train, validation, settings)
    return Trainer(
        model=model,
        args=TrainingArguments(**settings, warmup_ratio=0.06, group_by_length=True),
        train_dataset=train,
        eval_dataset=validation,
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )


def sft_trainer(model, tokenizer, train: list[dict], validation: list[dict], settings: dict):
    """TRL's trainer in fp32, without checkpointing of activations, which would slow it down."""
    from datasets import Dataset  # noqa: PLC0415  (TRL has an environment of its own)
    from trl import SFTConfig, SFTTrainer  # noqa: PLC0415

    sets = [
        Dataset.from_list([
            {"input_ids": row["input_ids"], "completion_mask": [int(label >= 0) for label in row["labels"]]}
            for row in rows
        ])
        for rows in (train, validation)
    ]  # fmt: skip
    arguments = SFTConfig(
        **settings,
        warmup_steps=0.06,
        train_sampling_strategy="group_by_length",
        completion_only_loss=True,
        max_length=None,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
    )
    return SFTTrainer(model, arguments, train_dataset=sets[0], eval_dataset=sets[1], processing_class=tokenizer)


def turn(prompt: str, tokenizer) -> list[int]:
    """A prompt as the model's chat template has it, up to the answer."""
    messages = [{"role": "user", "content": prompt}]
    return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)


def encoded(row: dict, tokenizer, length: int) -> dict[str, list[int]]:
    """Tokens of prompt and answer, with labels at the answer alone."""
    prompt = turn(row["prompt"], tokenizer)
    answer = [*tokenizer(row["references"][0], add_special_tokens=False).input_ids, tokenizer.eos_token_id]
    prompt = prompt[-(length - len(answer)) :]
    return {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}


@torch.no_grad()
def answered(args: argparse.Namespace, model, tokenizer, prompts: list[str]) -> list[str]:
    """Greedy answers, in the order of the prompts."""
    tokens = [turn(prompt, tokenizer)[-args.max_length :] for prompt in prompts]
    order, answers = sorted(range(len(tokens)), key=lambda row: len(tokens[row])), {}
    tokenizer.padding_side = "left"
    for first in range(0, len(order), GENERATION_BATCH):
        rows = order[first : first + GENERATION_BATCH]
        batch = tokenizer.pad({"input_ids": [tokens[row] for row in rows]}, return_tensors="pt").to(model.device)
        made = model.generate(
            **batch, max_new_tokens=args.max_new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )
        texts = tokenizer.batch_decode(made[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        answers.update(zip(rows, texts, strict=True))
    return [answers[row] for row in range(len(prompts))]


if __name__ == "__main__":
    main()
