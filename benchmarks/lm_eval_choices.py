"""`acc` and `acc_norm` by lm-evaluation-harness's own code and by ours: same rows, same weights, one process.

Needs an environment that holds this project and `lm-eval==0.4.13`; without it the script says so and ends. It prints
the largest difference between the two log-likelihoods of a continuation, and both scores of both sides. `--record`
writes the harness's numbers, which `tests/inference/test_choice_logprobs.py` compares with ours.
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module, metadata, util
from pathlib import Path
from typing import Any

import choice_cases as cases
import pandas as pd
import sides
import torch
import yaml

from peft_pipelines.config import ModelSpec, TaskSpec, parse
from peft_pipelines.evaluation.score import task_scores
from peft_pipelines.models import base_model, gate
from peft_pipelines.models.folder import folder_of

RELEASE = "0.4.13"
WHERE = {
    "sst2": "glue/sst2/default.yaml",
    "boolq": "super_glue/boolq/default.yaml",
    "copa": "super_glue/copa/default.yaml",
    "piqa": "piqa/piqa.yaml",
    "hellaswag": "hellaswag/hellaswag.yaml",
}
"""The harness's own tasks."""
DTYPES = {"float64": torch.float64, "float32": torch.float32}


def main() -> int:
    """Compare all tasks in both forms; 1 where a score differs, or a log-likelihood by more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=sides.PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--forms", nargs="+", choices=cases.FORMS, default=list(cases.FORMS))
    parser.add_argument("--tasks", nargs="+", choices=WHERE, default=list(WHERE))
    parser.add_argument("--rows", type=int, default=24, help="of each task's validation split")
    parser.add_argument("--dtype", choices=DTYPES, default="float64", help="of the weights, on both sides")
    parser.add_argument("--limit", type=float, default=1e-6, help="of the difference of two log-likelihoods, relative")
    parser.add_argument("--small", action="store_true", help="a random model of two layers with the same tokenizer")
    parser.add_argument("--record", type=Path, help="a file for the harness's numbers")
    args = parser.parse_args()
    if util.find_spec("lm_eval") is None:
        print(
            f"lm_eval is not installed here: pip install lm-eval=={RELEASE} beside this project, elsewhere than .venv"
        )
        return 0
    if metadata.version("lm_eval") != RELEASE:
        print(f"lm_eval {RELEASE} is compared with, got {metadata.version('lm_eval')}")
        return 1
    logging.disable(logging.WARNING)
    model = parse(ModelSpec, "model", {**models()[sides.MODEL], "name": sides.MODEL})
    weights, dtype = sides.PROJECT / "data/01_raw/models" / sides.MODEL, DTYPES[args.dtype]
    if args.small:
        tokenizer = gate.tokenizer(model, folder_of(model, weights))
        base = base_model.Base(model, cases.small_model(tokenizer, dtype), tokenizer, 0)
    else:
        base = base_model.load(model, weights)
        base.model.to(dtype)
    items = [compared(base, form, name, args) for form in args.forms for name in args.tasks]
    if args.record:
        kept = ("form", "task", "acc", "acc_norm", "rows")
        args.record.write_text(json.dumps([{key: item[key] for key in kept} for item in items], indent=1) + "\n")
    return int(any(item["differs"] for item in items))


def models() -> dict[str, Any]:
    """The rows of the models."""
    rows: dict[str, Any] = yaml.safe_load((sides.PROJECT / "conf/base/parameters/models.yml").read_text())["models"]
    return rows


def compared(base: base_model.Base, form: str, name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Both sides of a task in one form, printed."""
    raw = raw_rows(args.raw / name, args.rows)
    harness = harness_task(name, raw)
    if form == cases.HARNESS:
        docs = list(harness.validation_docs())
        made = [{cases.QUERY: harness.doc_to_text(doc), cases.CHOICES: harness.doc_to_choice(doc)} for doc in docs]
        raw = [{**row, **columns} for row, columns in zip(raw, made, strict=True)]
    task = cases.task_of(name, form)
    prompter, rows = cases.prompter_of(base.spec, base.tokenizer), cases.examples(task, raw)
    asked = cases.encoded(task, prompter, base.model, rows)
    found = {packed: cases.ours(base.model, asked, packed=packed) for packed in (True, False)}
    if form == cases.PROMPT:
        harness = own_task(name, task, [cases.context_of(task, prompter, row) for row in rows], rows)
    theirs = evaluated(base, harness)
    scored = [{**row, "prediction": "", "choice_logprobs": each} for row, each in zip(rows, found[True], strict=True)]
    scores = task_scores(scored, task)
    largest = {
        packed: max(
            abs(one - other) / max(1.0, abs(other))
            for row, right in zip(logprobs, theirs["rows"], strict=True)
            for one, other in zip(row, right["logprobs"], strict=True)
        )
        for packed, logprobs in found.items()
    }
    same = all(abs(scores[metric] - theirs[metric]) < args.limit for metric in ("acc", "acc_norm"))
    print(
        f"{form:8} {name:10} {len(rows):3} rows  largest relative difference: packed {largest[True]:.1e}, "
        f"padded {largest[False]:.1e}  acc {scores['acc']:.6f} {theirs['acc']:.6f}  "
        f"acc_norm {scores['acc_norm']:.6f} {theirs['acc_norm']:.6f}{'' if same else '  DIFFERS'}",
        flush=True,
    )
    return {"form": form, "task": name, **theirs, "differs": not same or max(largest.values()) > args.limit}


def raw_rows(folder: Path, count: int) -> list[dict[str, Any]]:
    """The first rows of a validation split."""
    found = next(path for path in sorted(folder.glob("validation.*")))
    table = pd.read_parquet(found) if found.suffix == ".parquet" else pd.read_json(found, lines=True, dtype=False)
    rows: list[dict[str, Any]] = json.loads(table.head(count).to_json(orient="records"))
    return rows


def harness_task(name: str, raw: Sequence[Mapping[str, Any]]) -> Any:
    """The harness's own task over our rows in place of those of the hub."""
    package = Path(str(util.find_spec("lm_eval").submodule_search_locations[0]))  # type: ignore[union-attr,index]
    return configured(import_module("lm_eval.tasks._yaml_loader").load_yaml(package / "tasks" / WHERE[name]), raw)


def own_task(name: str, task: TaskSpec, contexts: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Any:
    """A task of the harness whose context is our prompt."""
    docs = [
        {"context": context, "choices": row["choices"], "gold": task.label_words.index(row["references"][0])}
        for context, row in zip(contexts, rows, strict=True)
    ]
    row = {"task": name, "validation_split": "validation", "output_type": "multiple_choice", "target_delimiter": ""}
    return configured({**row, "doc_to_text": "context", "doc_to_choice": "choices", "doc_to_target": "gold"}, docs)


def configured(row: dict[str, Any], docs: Sequence[Mapping[str, Any]]) -> Any:
    """A task of the harness with both metrics, over some documents."""
    from datasets import Dataset  # noqa: PLC0415  (only where the harness is there)

    splits = {split: Dataset.from_list([dict(doc) for doc in docs]) for split in ("train", "validation")}
    both = [{"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in ("acc", "acc_norm")]
    own = {"custom_dataset": lambda **_: splits, "metric_list": both, "metadata": None}
    return import_module("lm_eval.api.task").ConfigurableTask(config={**row, **own})


def evaluated(base: base_model.Base, task: Any) -> dict[str, Any]:
    """The harness's scores, and of each row context, choices and log-likelihoods."""
    wrapper = import_module("lm_eval.models.huggingface").HFLM(
        pretrained=base.model, tokenizer=base.tokenizer, batch_size=cases.BATCH
    )
    found = import_module("lm_eval").simple_evaluate(wrapper, tasks=[task], bootstrap_iters=0, verbosity="ERROR")
    ((name, samples),) = found["samples"].items()
    rows = [
        {
            "context": sample["arguments"][0][0],
            "choices": task.doc_to_choice(sample["doc"]),
            "logprobs": [logprob for logprob, _ in sample["filtered_resps"]],
        }
        for sample in sorted(samples, key=lambda sample: sample["doc_id"])
    ]
    return {**{metric: found["results"][name][f"{metric},none"] for metric in ("acc", "acc_norm")}, "rows": rows}


if __name__ == "__main__":
    sys.exit(main())
