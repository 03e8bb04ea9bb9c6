"""A folder as the model hub has it: what was trained, a model card with scores and origin, and the licences."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from peft_pipelines.files.escape import for_markdown
from peft_pipelines.files.markdown import bullets, fenced, heading
from peft_pipelines.models.folder import LICENCES
from peft_pipelines.serving.export.adapter_folder import ADAPTER
from peft_pipelines.serving.export.finished import Finished
from peft_pipelines.serving.export.formats import CONTENTS, GGUF, MERGED, NOTICE, WEIGHTS, Format, Say
from peft_pipelines.serving.export.ollama import MODELFILE
from peft_pipelines.storage import model_card
from peft_pipelines.storage.hashes import CARD

HUB: Final = "hub"
RELATIONS: Final = {ADAPTER: "adapter", MERGED: "finetune", GGUF: "quantized"}
"""How the hub says what a repository is of its base model."""
_READING: Final = {
    MERGED: """\
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".")
tokenizer = AutoTokenizer.from_pretrained(".")""",
    GGUF: f"llama-cli -m {WEIGHTS}",
}
_OLLAMA: Final = f"ollama create mine -f {MODELFILE}"


def contents_of(cell: Finished, asked: str | None = None) -> str:
    """Return the format of what a repository holds: the one asked for, else the adapter, else the merged model.

    The cell may have none of it; ``export`` says so.
    """
    provider = cell.recorded.method.provider
    return asked or (MERGED if provider in ("weights", "custom") else ADAPTER)


def hub_format(contents: str) -> Format:
    """Return the format of a folder for the hub with these contents."""

    def write(cell: Finished, folder: Path, say: Say) -> float:
        difference = CONTENTS[contents].write(cell, folder, say)
        for pattern in LICENCES:
            for path in sorted(cell.weights.glob(pattern)):
                shutil.copyfile(path, folder / path.name)
        of_base = (folder / NOTICE).read_bytes() if (folder / NOTICE).is_file() else b""
        behind = b"\n## Notice of the base model\n\n" + of_base if of_base else b""
        (folder / NOTICE).write_bytes(notice(cell).encode() + behind)
        card = hub_card(cell.record, cell.numbers, contents, for_ollama=(folder / MODELFILE).is_file())
        (folder / CARD).write_text(card, encoding="utf-8")
        return difference

    return Format(CONTENTS[contents].refuse, write)


def notice(cell: Finished) -> str:
    """Return what the contents are made of, with the licence of each."""
    model, task = cell.recorded.model, cell.recorded.task
    source = task.source.repo if task.source else task.name
    lines = [
        f"The base model {cell.base_name} ({model.citation}), under: {model.licence}",
        f"Training examples of {source} ({task.citation}), under: {task.licence}",
    ]
    return f"# Notice\n\nThese files were made of:\n\n{bullets(lines)}\n"


def hub_card(record: Mapping[str, Any], numbers: Mapping[str, Any], contents: str, *, for_ollama: bool = False) -> str:
    """Return the model card of a repository.

    Args:
        record: the record of a checkpoint.
        numbers: the cell's scores; empty where they are not known.
        contents: the format of what the repository holds.
        for_ollama: whether Ollama's Modelfile lies beside a GGUF file.
    """
    origin = record["provenance"]
    front = yaml.safe_dump(hub_fields(record, numbers, contents), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---",
        heading(1, f"{record['method']['name']} on {record['model']['name']} for {origin['task']['name']}"),
        model_card.facts(record, origin),
        f"## How to load it\n\n{_reading(record, contents, for_ollama)}",
        f"## Prompts\n\n{_prompts(origin['task'])}",
        f"## Scores\n\n{model_card.scores(origin, numbers)}",
        f"## Base model and data\n\n{_origins(record)}",
        f"## Training\n\n{model_card.training(record)}",
        f"## Licence\n\n{_licences(record)}",
    ]
    return "\n\n".join(parts) + "\n"


def hub_fields(record: Mapping[str, Any], numbers: Mapping[str, Any], contents: str) -> dict[str, Any]:
    """Return the card's metadata, with the primary score as the hub's leaderboards read it."""
    fields = model_card.front_matter(record)
    if contents != ADAPTER:
        libraries = {MERGED: "transformers", GGUF: "gguf"}
        fields["library_name"] = libraries[contents]
        fields["tags"] = [tag for tag in fields["tags"] if tag not in ("peft", "adapter-transformers")]
    if "base_model" in fields:
        fields["base_model_relation"] = RELATIONS[contents]
    if fields["license"] == "other":
        fields["license_link"] = NOTICE
    task = record["provenance"]["task"]
    source = task.get("source") or {}
    if numbers and source.get("repo"):
        data = {"name": task["name"], "type": source["repo"], "config": source.get("config"), "split": _split(task)}
        metric = {"type": numbers["metric"], "value": numbers["primary"]}
        result = {
            "task": {"type": "text-generation"},
            "dataset": {key: value for key, value in data.items() if value},
            "metrics": [metric],
        }
        name = f"{record['method']['name']} on {record['model']['name']}"
        fields["model-index"] = [{"name": name, "results": [result]}]
    return fields


def _split(task: Mapping[str, Any]) -> str | None:
    split = (task.get("splits") or {}).get("test")
    return split if isinstance(split, str) else None


def _reading(record: Mapping[str, Any], contents: str, for_ollama: bool) -> str:
    if contents == ADAPTER:
        return model_card.reading(record)
    lines = [_READING[contents], *([_OLLAMA] if for_ollama else [])]
    return fenced("\n".join(lines), "python" if contents == MERGED else "")


def _prompts(task: Mapping[str, Any]) -> str:
    """What the model was asked in training and scoring."""
    asked = f"{task['instruction']}\n\n{task['input']}"
    return f"A column of an example stands in braces.\n\n{fenced(asked)}"


def _licences(record: Mapping[str, Any]) -> str:
    base, data = record["model"]["licence"], record["provenance"]["task"]["licence"]
    return (
        f"See [{NOTICE}]({NOTICE}): the base model's licence is {for_markdown(base)}, that of the training examples "
        f"{for_markdown(data)}."
    )


def _origins(record: Mapping[str, Any]) -> str:
    """Where weights and examples come from, and the hashes that name them."""
    origin = record["provenance"]
    base, source = origin["base_model"], origin["task"].get("source") or {}
    data = ", ".join(str(source[key]) for key in ("repo", "config") if source.get(key)) or "rows on disk"
    splits = origin["data"]["raw"].get("sha256", {})
    lines = [
        f"Base model: {model_card.base_name(record)}, revision {base.get('revision') or 'none: no repository'}",
        *(f"SHA-256 of the base's {name}: {value}" for name, value in base.get("sha256", {}).items()),
        f"Data: {data}",
        *(f"SHA-256 of the data's {name}: {value}" for name, value in splits.items()),
        f"Run {origin['run_id']} of peft-pipelines {origin['environment']['libraries']['peft-pipelines']}",
    ]
    return bullets([re.sub(r"\s+", " ", line) for line in lines])
