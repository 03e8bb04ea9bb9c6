"""Ways to spoil the model folder of a sound project: its files, the fields of its JSON files, its tensors."""

import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from malformed import Rule
from safetensors.torch import load_file, save_file

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
WHERE = "model 'tiny', folder 'model'"
"""How each error of a folder begins."""

Spoil = Callable[[Path], object]


def rule(name: str, spoil: Spoil, *says: str) -> Rule:
    """A folder that is refused in a line that names model and folder."""
    return Rule(name, spoil, [WHERE, *says])


def fine(name: str, *spoils: Spoil) -> Rule:
    """A folder that is read."""
    return Rule(
        f"fine: {name}",
        lambda folder: [spoil(folder) for spoil in spoils],
        [],
        ("run", "--pipeline=data"),
        succeeds=True,
    )


def holding(file: str, content: str | bytes) -> Spoil:
    """A file with other content; its folders are made."""

    def spoil(folder: Path) -> None:
        path = folder / "model" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    return spoil


def without(*files: str) -> Spoil:
    """The folder without some files."""

    def spoil(folder: Path) -> None:
        for file in files:
            (folder / "model" / file).unlink()

    return spoil


def entry(file: str, make: Callable[[Path], object]) -> Spoil:
    """Something else than a file under a file's name."""

    def spoil(folder: Path) -> None:
        path = folder / "model" / file
        path.unlink(missing_ok=True)
        make(path)

    return spoil


def renamed(found: dict[str, Any]) -> None:
    """Put a prefix before the names of tensors."""
    for name in list(found):
        found[f"base_model.model.{name}"] = found.pop(name)


def linked(path: Path) -> None:
    """Make a link to a file outside the folder."""
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_text("{}", encoding="utf-8")
    path.symlink_to(elsewhere)


def changed(file: str, change: Callable[[dict[str, Any]], object]) -> Spoil:
    """A JSON file with other values."""

    def spoil(folder: Path) -> None:
        path = folder / "model" / file
        values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        change(values)
        path.write_text(json.dumps(values), encoding="utf-8")

    return spoil


def fields(file: str, **values: Any) -> Spoil:
    """A JSON file with some other fields."""
    return changed(file, lambda found: found.update(values))


config = partial(fields, "config.json")
settings = partial(fields, "tokenizer_config.json")


def template(text: str) -> Spoil:
    """Another chat template."""
    return holding("chat_template.jinja", text)


def tensors(change: Callable[[dict[str, Any]], object], **metadata: str) -> Spoil:
    """Weights of other tensors."""

    def spoil(folder: Path) -> None:
        path = folder / "model" / WEIGHTS
        found = load_file(path)
        change(found)
        save_file(found, path, {"format": "pt", **metadata})

    return spoil


def weights(change: Callable[[bytes], bytes]) -> Spoil:
    """Other bytes of the weights."""

    def spoil(folder: Path) -> None:
        path = folder / "model" / WEIGHTS
        path.write_bytes(change(path.read_bytes()))

    return spoil


def header(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """A header of the weights with other values, whatever the numbers behind it are."""

    def other(content: bytes) -> bytes:
        (length,) = struct.unpack("<Q", content[:8])
        values = json.loads(content[8 : 8 + length])
        change(values)
        text = json.dumps(values).encode()
        return struct.pack("<Q", len(text)) + text + content[8 + length :]

    return weights(other)


def index(change: Callable[[dict[str, str]], object], *, shards: int = 1) -> Spoil:
    """Weights in shards with an index; ``change`` is given its map from a tensor to its file."""

    def spoil(folder: Path) -> None:
        place = folder / "model"
        found = load_file(place / WEIGHTS)
        (place / WEIGHTS).unlink()
        files = [f"model-{number + 1:05}-of-{shards:05}.safetensors" for number in range(shards)]
        where = {name: files[number % shards] for number, name in enumerate(sorted(found))}
        for file in files:
            save_file({name: found[name] for name in where if where[name] == file}, place / file, {"format": "pt"})
        change(where)
        (place / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}), encoding="utf-8")

    return spoil
