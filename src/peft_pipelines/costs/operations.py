"""Floating-point operations of a block of code, counted by formula from the shapes of its tensors.

* A product of matrices, or a convolution: two for each multiply-add, by torch's own formulas.
* A bias of a linear layer: one for each element.
* Attention: its two products over all pairs of a query and a key, also where a mask hides the pair. That is torch's
  formula for the kernels of GPUs, and what attention without a fused kernel computes.
* A sum, difference, product or quotient of floating-point tensors, element by element: one for each element.

Not counted are functions (exponentials, roots, activations, softmax, norms that are one operation of torch), sums over
a dimension, casts, comparisons and look-ups.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from types import TracebackType
from typing import Any, Final, Self

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils import flop_counter

aten = torch.ops.aten

ELEMENTWISE: Final = {
    **dict.fromkeys((aten.add, aten.sub, aten.mul, aten.div, aten.rsub), 1),
    **dict.fromkeys((aten.add_, aten.sub_, aten.mul_, aten.div_), 1),
    **dict.fromkeys((aten.addcmul, aten.addcmul_, aten.addcdiv, aten.addcdiv_), 2),
    **dict.fromkeys((aten.lerp, aten.lerp_), 3),
}
"""Operations for each element of the result."""


class OperationCounter(TorchFunctionMode):
    """Counts the operations of a block into ``total``; the kernel that computes attention does not change the count."""

    def __init__(self) -> None:
        super().__init__()
        formulas = {operation: _Elementwise(each) for operation, each in ELEMENTWISE.items()}
        biased = {aten.addmm: _addmm, aten.baddbmm: _baddbmm}
        self._counter: Any = flop_counter.FlopCounterMode(display=False, custom_mapping={**formulas, **biased})
        self._beside = 0

    @property
    def total(self) -> int:
        """Operations so far."""
        return int(self._counter.get_total_flops()) + self._beside

    def __enter__(self) -> Self:
        self._beside = 0
        self._counter.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        self._counter.__exit__(kind, error, trace)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the function; of attention the formula counts, not the parts that its kernel is made of."""
        if func is not scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        before = self.total
        result = func(*args, **(kwargs or {}))
        self._beside += _attention(*args, **(kwargs or {})) - (self.total - before)
        return result


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, **__: Any) -> int:
    formula: Callable[..., int] = flop_counter.sdpa_flop_count
    return formula(*((prod(part.shape[:-3]), *part.shape[-3:]) for part in (query, key, value)))


@dataclass(frozen=True)
class _Elementwise:
    """Counts a number of operations for each element of a floating-point result."""

    each: int
    _get_raw = True  # torch then hands over the tensors instead of their shapes

    def __call__(self, *_: Any, out_val: torch.Tensor, **__: Any) -> int:
        return self.each * out_val.numel() if out_val.is_floating_point() else 0


def _products(left: Sequence[int], right: Sequence[int]) -> int:
    """Of matrices, or of a batch of them, by their shapes."""
    return 2 * prod(left) * right[-1]


def _addmm(_: Any, left: Any, right: Any, *, out_shape: Sequence[int], **__: Any) -> int:
    return _products(left, right) + prod(out_shape)


def _baddbmm(_: Any, left: Any, right: Any, *, out_shape: Sequence[int], beta: float = 1, **__: Any) -> int:
    return _products(left, right) + (prod(out_shape) if beta else 0)
