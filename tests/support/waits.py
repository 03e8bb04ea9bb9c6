"""Tensors that stand for some on a GPU: each look at their numbers, for which a host would wait, is noted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

LOOKS = {"item", "tolist", "__bool__", "__int__", "__float__", "__index__", "numpy", "cpu", "nonzero", "masked_select"}
WAITS: list[str] = []


class OnDevice(torch.Tensor):
    """A tensor as on a GPU; what is computed from it is one too."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        by_mask = name in ("__getitem__", "__setitem__") and any(is_mask(part) for part in parts(args[1]))
        if name in LOOKS or by_mask:
            WAITS.append(name)
        return super().__torch_function__(func, types, args, kwargs or {})


def parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def is_mask(index: Any) -> bool:
    return isinstance(index, torch.Tensor) and index.dtype == torch.bool


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, *modules: Any) -> Iterator[list[str]]:
    """Let modules place tensors on the stand-in for a GPU in a block; yield the looks at them."""
    WAITS.clear()
    with monkeypatch.context() as patched:
        for module in modules:
            patched.setattr(module, "placed", lambda values, device: values.as_subclass(OnDevice))
        yield WAITS
