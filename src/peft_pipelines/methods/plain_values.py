"""Values of any object as JSON and tensors, and back into an object of the same kind; nothing is pickled.

Numbers, texts, tensors, arrays, generators of random numbers, and containers and objects of these are written. What is
left (functions, modules, parameters that are trained, classes of Python's own) is not, and stays as it is when the rest
is read.
"""

import math
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

LEFT = ["left"]
SCALARS = (bool, int, float, str, type(None))
SERIES: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}
NOT_OURS = sys.stdlib_module_names | {"torch"}
"""Packages whose objects are not looked into."""

Tree = Any
"""What ``json`` can write: a scalar, or a list of the kind and its content."""


class Writer:
    """A value as ``tree`` and ``tensors``, these on the CPU; ``seen`` holds by identity what was written before."""

    def __init__(self, value: Any, seen: dict[int, Any]) -> None:
        self.tensors: list[torch.Tensor] = []
        self._seen = seen
        self.tree: Tree = self._tree(value)

    def _tree(self, value: Any) -> Tree:
        if type(value) in SCALARS:
            return ["float", str(value)] if isinstance(value, float) and not math.isfinite(value) else value
        if id(value) in self._seen:
            return LEFT
        self._seen[id(value)] = value
        return next((tree for write in _WRITERS if (tree := write(self, value)) is not None), LEFT)

    def _tensor(self, value: Any) -> Tree | None:
        if not isinstance(value, torch.Tensor):
            return None
        trained = isinstance(value, nn.Parameter) and value.requires_grad
        if trained or value.layout != torch.strided or value.device.type == "meta":
            return LEFT
        return [*self._add("tensor", value.detach()), value.device.type]

    def _array(self, value: Any) -> Tree | None:
        if not isinstance(value, np.ndarray | np.generic):
            return None
        try:
            return self._add("array" if isinstance(value, np.ndarray) else "scalar", torch.from_numpy(np.array(value)))
        except TypeError:  # texts, dates and objects
            return LEFT

    def _draws(self, value: Any) -> Tree | None:
        if isinstance(value, torch.Generator):
            return self._add("generator", value.get_state())
        if isinstance(value, random.Random):
            return ["random", self._tree(value.getstate())]
        if isinstance(value, np.random.Generator):
            return ["numpy", self._tree(value.bit_generator.state)]
        if isinstance(value, np.random.RandomState):
            return ["numpy", self._tree(value.get_state(legacy=False))]
        return None

    def _container(self, value: Any) -> Tree | None:
        if isinstance(value, dict):
            return ["dict", [[self._tree(key), self._tree(inner)] for key, inner in value.items()]]
        kind = next((kind for kind, cls in SERIES.items() if isinstance(value, cls)), None)
        if kind is None:
            return None
        values = sorted(value, key=repr) if isinstance(value, set | frozenset) else value  # else by the process
        return [kind, [self._tree(inner) for inner in values]]

    def _object(self, value: Any) -> Tree | None:
        return ["object", {name: self._tree(inner) for name, inner in _attributes(value)}] if _is_open(value) else None

    def _add(self, kind: str, value: torch.Tensor) -> list[Any]:
        self.tensors.append(value.cpu().contiguous())
        return [kind, len(self.tensors) - 1]


_WRITERS = (Writer._tensor, Writer._array, Writer._draws, Writer._container, Writer._object)


class Reader:
    """Values out of what a ``Writer`` made of them.

    Args:
        tensor: returns a tensor by its place among those of the writer.
        device: where tensors go that were not on the CPU.
    """

    def __init__(self, tensor: Callable[[int], torch.Tensor], device: torch.device) -> None:
        self._tensor, self._device = tensor, device

    def value(self, current: Any, tree: Tree) -> Any:  # noqa: PLR0911  (one line a kind)
        """Return the value of a tree: the current one, changed in place where it is of the same kind, or a new one."""
        match tree:
            case ["left"]:
                return current
            case ["float", text]:
                return float(text)
            case ["tensor", number, device]:
                return self._into(current, self._tensor(number), device)
            case ["array", number]:
                return self._tensor(number).numpy()
            case ["scalar", number]:
                return self._tensor(number).numpy()[()]
            case ["generator" | "random" | "numpy" as kind, state]:
                return self._draws(current, kind, state)
            case ["dict", items]:
                return self._dict(current if isinstance(current, dict) else {}, items)
            case ["object", attributes]:
                return self._object(current, attributes)
            case [kind, values]:
                return self._series(current, SERIES[kind], values)
        return tree

    def _into(self, current: Any, value: torch.Tensor, device: str) -> torch.Tensor:
        if isinstance(current, torch.Tensor) and (current.shape, current.dtype) == (value.shape, value.dtype):
            current.data.copy_(value)  # where it is shared by modules it stays so
            return current
        return value if device == "cpu" else value.to(self._device)

    def _draws(self, current: Any, kind: str, state: Any) -> Any:
        if kind == "generator":
            current.set_state(self._tensor(state))
        elif kind == "random":
            current.setstate(self.value(None, state))
        elif isinstance(current, np.random.Generator):
            current.bit_generator.state = self.value(None, state)
        else:
            current.set_state(self.value(None, state))
        return current

    def _dict(self, current: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
        keys = [self.value(None, key) for key, _ in items]
        values = [self.value(current.get(key), tree) for key, (_, tree) in zip(keys, items, strict=True)]
        current.clear()
        current.update(zip(keys, values, strict=True))
        return current

    def _series(self, current: Any, kind: type, values: list[Any]) -> Any:
        before = list(current) if isinstance(current, list | tuple | deque) else []
        before += [None] * (len(values) - len(before))
        found = [self.value(old, tree) for old, tree in zip(before, values, strict=False)]
        if not isinstance(current, list | set | deque):
            return kind(found)
        current.clear()
        (current.update if isinstance(current, set) else current.extend)(found)
        return current

    def _object(self, current: Any, attributes: dict[str, Any]) -> Any:
        if _is_open(current):
            before = dict(_attributes(current))
            for name, tree in attributes.items():
                object.__setattr__(current, name, self.value(before.get(name), tree))
        return current


def _is_open(value: Any) -> bool:
    """Whether a value is an object of a library or an author, whose attributes may be looked at."""
    if isinstance(value, SimpleNamespace):
        return True
    return not (isinstance(value, nn.Module | Enum | type) or type(value).__module__.partition(".")[0] in NOT_OURS)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    yield from getattr(value, "__dict__", {}).items()
    yield from ((name, getattr(value, name)) for name in slots if name != "__dict__" and hasattr(value, name))
