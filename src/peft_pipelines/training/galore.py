"""AdamW whose moments of matrices live in a space of low rank (GaLore, Zhao et al. 2024)."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch.optim import Optimizer


class LowRankAdamW(Optimizer):
    """AdamW; groups with a ``rank`` have their gradients projected to that rank.

    The basis is that of the gradient's largest singular values and is chosen anew every ``update_proj_gap`` steps;
    the moments stay. The step in it, times ``scale``, is brought back to the matrix. The whole state is tensors, the
    basis among them, so that it is saved and read without pickled objects.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float], eps: float) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0, "rank": 0}
        super().__init__(groups, {**defaults, "update_proj_gap": 1, "scale": 1.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step of all parameters that have a gradient."""
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is not None:
                    self._step(value, value.grad, group)

    def _step(self, value: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[value]
        done = int(state["step"]) if state else 0
        if group["rank"] and done % group["update_proj_gap"] == 0:
            state["basis"] = basis(gradient, group["rank"])
        low = projected(gradient, state["basis"]) if group["rank"] else gradient
        if done == 0:
            state |= {"step": torch.tensor(0.0), "exp_avg": torch.zeros_like(low), "exp_avg_sq": torch.zeros_like(low)}
        state["step"] += 1
        change = adam(state["exp_avg"], state["exp_avg_sq"], low, done + 1, group)
        if group["rank"]:
            change = group["scale"] * restored(change, state["basis"], gradient.shape)
        value.add_(change, alpha=-group["lr"]).mul_(1 - group["lr"] * group["weight_decay"])


def adam(
    mean: torch.Tensor, square: torch.Tensor, gradient: torch.Tensor, step: int, group: dict[str, Any]
) -> torch.Tensor:
    """Update both moments by the gradient in place, and return the update's direction. ``step`` counts from 1."""
    first, second = group["betas"]
    mean.lerp_(gradient, 1 - first)
    square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
    correction: float = math.sqrt(1 - second**step) / (1 - first**step)
    return mean.div(square.sqrt().add_(group["eps"])).mul(correction)


def basis(gradient: torch.Tensor, rank: int) -> torch.Tensor:
    """Singular vectors of the largest singular values, on the shorter side: (rank, columns) or (rows, rank).

    >>> basis(torch.eye(5, 3), 2).shape, basis(torch.eye(3, 5), 2).shape
    (torch.Size([2, 3]), torch.Size([3, 2]))
    """
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    space: torch.Tensor = right[:rank] if _tall(gradient.shape) else left[:, :rank]
    return space.contiguous()


def projected(gradient: torch.Tensor, space: torch.Tensor) -> torch.Tensor:
    """Coordinates of the gradient in the basis."""
    return gradient @ space.T if _tall(gradient.shape) else space.T @ gradient


def restored(low: torch.Tensor, space: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Coordinates in the basis as a matrix of the given shape."""
    return low @ space if _tall(shape) else space @ low


def _tall(shape: torch.Size) -> bool:
    return shape[0] >= shape[1]
