"""What a method keeps beside the parameters that it trains: buffers, averages, counters, generators of random numbers.

A library or an author may keep such things in any attribute of a module: AdaLoRA has the averages of its importances in
an object of its own. So they are not listed but found: all that differs from the method's start, which the seed makes
again, is part of a training's state. The base model's tensors are not looked at, since nothing may change them.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from peft_pipelines.files.atomic import replacing
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.plain_values import Reader, Writer

KEPT = "kept.safetensors"
OF_EVERY_MODULE = frozenset(vars(nn.Module()))
"""Attributes of PyTorch's own, among them the mode (training or not), parameters, buffers and hooks."""

Place = tuple[str, str]
"""The path of a module, and the name of an attribute, a buffer or a frozen parameter of it."""


class Kept:
    """What a method keeps, from its start on. Made before the method is changed in any way."""

    def __init__(self, attached: Attached) -> None:
        self._attached = attached
        self._start = {place: _digest(writer) for place, writer in _written(attached)}

    def save(self, folder: Path) -> None:
        """Write all that differs from the start into a file of the folder; no file where nothing does."""
        trees: list[list[Any]] = []
        tensors: dict[str, torch.Tensor] = {}
        for place, writer in _written(self._attached):
            if self._start.get(place) != _digest(writer):
                names = {number: str(len(tensors) + number) for number in range(len(writer.tensors))}
                trees.append([*place, writer.tree, len(tensors)])
                tensors |= {names[number]: value.clone() for number, value in enumerate(writer.tensors)}
        if trees:
            with replacing(folder / KEPT) as fresh:
                save_file(tensors, fresh, metadata={"trees": json.dumps(trees)})


def restore(attached: Attached, folder: Path) -> None:
    """Put what a folder holds of a method's keeping back into it; nothing where the folder has none."""
    if not (folder / KEPT).is_file():
        return
    with safe_open(folder / KEPT, framework="pt") as file:
        modules = dict(attached.plain.named_modules())
        for path, name, tree, first in json.loads(file.metadata()["trees"]):
            tensors = partial(_tensor_of, file, first)
            reader = Reader(tensors, attached.core.device)
            module = modules[path]
            value = reader.value(getattr(module, name, None), tree)
            if not isinstance(value, nn.Parameter):  # these are changed in place
                setattr(module, name, value)


def _tensor_of(file: Any, first: int, number: int) -> torch.Tensor:
    found: torch.Tensor = file.get_tensor(str(first + number))
    return found


def _written(attached: Attached) -> Iterator[tuple[Place, Writer]]:
    """Each place where a method may keep something, with its value there; what is found twice, at its first place."""
    seen: dict[int, Any] = {}
    for path, module in attached.plain.named_modules():
        frozen = {
            name: value
            for name, value in module._parameters.items()
            if value is not None and not value.requires_grad and value.data_ptr() not in attached.base_memory
        }
        own = {name: value for name, value in vars(module).items() if name not in OF_EVERY_MODULE}
        for name, value in {**frozen, **module._buffers, **own}.items():
            yield (path, name), Writer(value, seen)


def _digest(writer: Writer) -> bytes:
    found = hashlib.sha256(json.dumps(writer.tree).encode())
    for value in writer.tensors:
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.digest()
