"""The model card of a checkpoint: facts, training, scores, and the code that loads it with the libraries alone."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from peft_pipelines.files.escape import code, for_markdown, for_terminal
from peft_pipelines.files.markdown import bullets, fenced, heading, render
from peft_pipelines.storage.dropped import Dropped

LICENCES = {
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
    *("openrail", "bigscience-openrail-m", "gemma", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3"),
}
"""Licences that the hub knows by these names; any other is named as the row names it."""

LIBRARIES = {"hf_peft": "peft", "adapters": "adapter-transformers", "weights": "transformers"}
TAGS = {"hf_peft": ["peft"], "adapters": ["adapter-transformers"]}

READING = {
    "hf_peft": """\
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained({base!r})
model = PeftModel.from_pretrained(base, ".")""",
    "adapters": """\
import adapters
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained({base!r})
adapters.init(model)  # then generate(..., use_cache=False): adapters 1.3 passes over the cache of transformers 4.57
model.set_active_adapters(model.load_adapter(".", with_head=False, use_safetensors=True))""",
    "weights": """\
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained({base!r})
model.load_state_dict(load_file("model.safetensors"), strict=False)""",
    "custom": """\
# the tuner is code {code}
from safetensors.torch import load_file

tensors = load_file("adapter_model.safetensors")  # by their names in the tuned model""",
    "none": "# nothing was trained: the base model as it is",
}
READINGS_NOTE = "The current folder (`.`) is this one; the base model is {base}{hint}."


def card(record: Mapping[str, Any], numbers: Mapping[str, Any] | None = None, dropped: Dropped | None = None) -> str:
    """Return the card's text from a checkpoint's record, with the scores once they are known.

    Of weights that were dropped it says so, in place of how to load them.

    Its front matter holds fields that the hub knows. Parts that need the record's provenance are left out where it has
    none. What rows and folders say stands in it as text, whatever it holds.
    """
    origin = record.get("provenance", {})
    parts = [
        f"---\n{yaml.safe_dump(front_matter(record), sort_keys=False, allow_unicode=True)}---",
        heading(1, f"{record['method']['name']} on {record['model']['name']}" + _for_task(origin)),
        facts(record, origin),
        f"## Weights\n\n{_dropped(dropped)}" if dropped else f"## How to load it\n\n{reading(record)}",
        f"## Training\n\n{training(record)}",
        f"## Scores\n\n{scores(origin, numbers)}",
        reproduction(origin),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card's metadata. Base model and data set are named only where the hub has them."""
    method, model, task = record["method"], record["model"], record.get("provenance", {}).get("task", {})
    licence = model["licence"].lower().replace(" ", "-")
    known = licence in LICENCES
    source = (task.get("source") or {}).get("repo")
    tags = [*TAGS.get(method["provider"], []), method["name"], method["type"].lower(), "peft-pipelines"]
    fields = {
        "base_model": (model.get("hub") or {}).get("repo"),
        "library_name": LIBRARIES.get(method["provider"]),
        "pipeline_tag": "text-generation",
        "license": licence if known else "other",
        "license_name": None if known else re.sub(r"[^a-z0-9.-]+", "-", licence).strip("-") or "unknown",
        "datasets": [source] if source else None,
        "tags": list(dict.fromkeys(tags)),
    }
    return {key: value for key, value in fields.items() if value}


def _for_task(origin: Mapping[str, Any]) -> str:
    return f" for {origin['task']['name']}" if origin else ""


def facts(record: Mapping[str, Any], origin: Mapping[str, Any]) -> str:
    method, model = record["method"], record["model"]
    rows = ", ".join(f"{count} {split}" for split, count in record.get("rows", {}).items())
    lines = [
        f"Method: {method['type']} ({method['provider']}), {method['family']}; {method['citation']}",
        f"Base model: {base_name(record)} ({model['licence']}; {model['citation']})" + _note(model.get("notes")),
        f"Trainable parameters: {record['trainable_parameters']:,} of {record['total_parameters']:,}",
    ]
    if origin:
        task = origin["task"]
        source = (task.get("source") or {}).get("repo", "rows on disk")
        lines.append(f"Task: {task['name']}, {task['type']} ({source}; {task['licence']}; {task['citation']})")
    return f"{bullets([*lines, f'Rows: {rows}'])}\n* Config: {code(str(method['config']))}"


def base_name(record: Mapping[str, Any]) -> str:
    """Return the public name of the base model: no path of this machine."""
    model, origin = record["model"], record.get("provenance", {})
    return str(origin.get("base_model", {}).get("name") or model["name"])


def _note(text: str | None) -> str:
    return f". {text}" if text else ""


def reading(record: Mapping[str, Any]) -> str:
    method = record["method"]
    hub = (record["model"].get("hub") or {}).get("repo")
    base = hub or f"path/to/{record['model']['name']}"
    package, folder = method.get("package"), f"methods/{for_terminal(method['type'])}/"
    place = f"of package {for_terminal(package)}" if package else f"of the project that trained it: {folder} there"
    script = READING[method["provider"]].format(base=base, code=place)
    fetched = "fetched by `kedro fetch` into the project's folder of models" if record["model"].get("package") else ""
    hint = "" if hub else f", {fetched or 'a folder of the machine that trained it'}"
    note = READINGS_NOTE.format(base=for_markdown(base_name(record)), hint=hint)
    return f"{fenced(script, 'python')}\n\n{note}"


def _dropped(dropped: Dropped) -> str:
    files = [f"{name}: {file.bytes:,} bytes, SHA-256 {file.sha256}" for name, file in dropped.files.items()]
    text = f"This checkpoint has no weights: {dropped.line}."
    return f"{for_markdown(text)}\n\n{bullets(files)}"


def training(record: Mapping[str, Any]) -> str:
    training_args = {
        **record["training_args"],
        "learning_rate": record.get("learning_rate", record["training_args"]["learning_rate"]),
    }
    values = {
        **training_args,
        "optimizer": method_optimizer(record),
        "seed": record["seed"],
        "steps": record.get("steps"),
    }
    return render({"setting": list(values), "value": [str(value) for value in values.values()]}, words=True)


def method_optimizer(record: Mapping[str, Any]) -> str:
    """Return the optimizer's type with its options.

    >>> method_optimizer({"method": {"optimizer": {"type": "adamw", "eps": 1e-8}}})
    'adamw, eps 1e-08'
    """
    kind, *options = record["method"]["optimizer"].items()
    return ", ".join([str(kind[1]), *(f"{name} {value}" for name, value in options)])


def scores(origin: Mapping[str, Any], numbers: Mapping[str, Any] | None) -> str:
    if not numbers:
        return "Not known when this was written: a checkpoint is scored after it is saved."
    metrics = [name for name in origin.get("task", {}).get("metrics", []) if name in numbers]
    interval = [numbers.get("primary_low"), numbers.get("primary_high")]
    columns = {
        "metric": metrics,
        "score": [f"{numbers[name]:.4f}" for name in metrics],
        "95 % interval": [_between(interval) if place == 0 else "" for place, _ in enumerate(metrics)],
    }
    return f"On {numbers['n']:.0f} test examples:\n\n{render(columns)}"


def _between(interval: list[float | None]) -> str:
    low, high = interval
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def reproduction(origin: Mapping[str, Any]) -> str:
    if not origin:
        return ""
    return (
        f"## How to make it again\n\nIn the project that made it, run {for_markdown(origin['run_id'])}:\n\n"
        f"{fenced(origin['command'])}\n\nand to hold the numbers of this cell against their record:\n\n"
        f"{fenced(origin['again'])}\n\n`record.json` holds all rows, the hashes of data and base weights, "
        "the releases of all libraries, and the machine."
    )
