"""Multiple choice in two forms: behind the project's own prompt, and as the shipped tasks of lm-evaluation-harness.

Rows of ``conf/base`` with the field ``continuations``, and our log-likelihoods of their examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import yaml
from sides import PROJECT
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from peft_pipelines.config import MethodSpec, ModelSpec, TaskSpec, parse
from peft_pipelines.data.continuations import Continuations, Continued
from peft_pipelines.data.example import adapt_row
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.inference.choice_logprobs import continuation_logprobs
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.methods.no_tuning import attach
from peft_pipelines.models.positions import positions

PROMPT, HARNESS = "prompt", "harness"
QUERY, CHOICES = "query", "choices"
"""Columns with what the harness's own functions make of a row, where no template can make it."""
BY_FUNCTION: dict[str, Any] = {"context": f"{{{QUERY}}}", "column": CHOICES, "delimiter": " "}
FORMS: dict[str, dict[str, dict[str, Any]]] = {
    PROMPT: {
        "sst2": {},
        "boolq": {},
        "copa": {"texts": ["{choice1}", "{choice2}"]},
        "piqa": {"texts": ["{sol1}", "{sol2}"]},
        "hellaswag": {"column": "endings"},
    },
    HARNESS: {
        "sst2": {
            "context": "{sentence}\nQuestion: Is this sentence positive or negative?\nAnswer:",
            "delimiter": " ",
        },
        "boolq": {"context": "{passage}\nQuestion: {question}?\nAnswer:", "delimiter": " "},
        "copa": BY_FUNCTION,
        "piqa": {"context": "Question: {goal}\nAnswer:", "texts": ["{sol1}", "{sol2}"], "delimiter": " "},
        "hellaswag": BY_FUNCTION,
    },
}
"""By form and task the field ``continuations``."""
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
BATCH, MAX_LENGTH = 8, 2048


def small_model(tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype) -> PreTrainedModel:
    """A random model of two layers for a tokenizer, the same at each call, whose logits lie far apart."""
    shape = {"vocab_size": len(tokenizer), "intermediate_size": 48, "max_position_embeddings": 8192, **SMALL}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(LlamaConfig(**shape, attn_implementation="sdpa"))
        for parameter in model.parameters():
            parameter.data += (0.25 if parameter.dim() > 1 else 0.05) * torch.randn(parameter.shape)
    return model.to(dtype).requires_grad_(False).eval()


def task_of(name: str, form: str) -> TaskSpec:
    """The row of a task with its continuations; the harness changes no white space, so neither does its form."""
    files = (PROJECT / "conf/base/parameters/tasks").glob("*.yml")
    row = next(rows[name] for rows in (yaml.safe_load(file.read_text())["tasks"] for file in files) if name in rows)
    if form == HARNESS and row.get("preprocess") == "squeeze_blanks":
        row = {key: value for key, value in row.items() if key != "preprocess"}
    metrics = ["acc", "acc_norm", *row["metrics"]]
    return parse(
        TaskSpec, f"task '{name}'", {**row, "name": name, "continuations": FORMS[form][name], "metrics": metrics}
    )


def examples(task: TaskSpec, raw: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The examples of raw rows, with their prompts."""
    found = [adapt_row(dict(row), task, f"row {number}") for number, row in enumerate(raw)]
    return [{**each, "prompt": task.prompt(each["input"])} for each in found]


def context_of(task: TaskSpec, prompter: Prompter, example: Mapping[str, Any]) -> str:
    """The text before an example's continuations."""
    return (
        str(example["context"])
        if task.continuations and task.continuations.context
        else prompter.render(example["prompt"])
    )


def prompter_of(model: ModelSpec, tokenizer: PreTrainedTokenizerBase) -> Prompter:
    """Formats and tokenizes for the model; with room for all examples as they are."""
    return Prompter.of(model, tokenizer, MAX_LENGTH)


def encoded(
    task: TaskSpec, prompter: Prompter, model: PreTrainedModel, rows: Sequence[Mapping[str, Any]]
) -> list[Continued]:
    """Contexts and continuations as tokens."""
    assert task.continuations
    continuations = Continuations(prompter, task.continuations, task.max_new_tokens, positions(model.config))
    return [continuations.encode(row) for row in rows]


def ours(model: PreTrainedModel, asked: Sequence[Continued], *, packed: bool = True) -> list[list[float]]:
    """Our log-likelihoods of the untuned model, packed as trees of tokens or as padded rows."""
    method = MethodSpec(
        name="none", provider="none", type="none", family="baseline", config={}, training={}, citation="-"
    )
    decoding = Decoding(1, (), 0, BATCH, shared_prefix=packed, packed=packed)
    return continuation_logprobs(attach(model, method), asked, decoding)
