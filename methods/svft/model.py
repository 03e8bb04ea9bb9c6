"""SVFT: training of a few entries of M, from zero, in W = U (S + M) Vᵀ with the singular values S of each weight.

Computed as W x + U M Vᵀ x. So nothing of W is lost at any rank, the start is the base model bit for bit, and U, S and V
need not be saved: they are computed from W again.
"""

from hashlib import sha256
from typing import Any, ClassVar

import torch
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from torch import nn
from torch.nn.functional import pad
from transformers.pytorch_utils import Conv1D

from .config import SVFTConfig

Factors = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""U (out, r), S (r,) and V (in, r) of a matrix (out, in)."""


class SVFTLayer(nn.Module, BaseTunerLayer):
    """A linear layer with the trained matrix M.

    ``svft_u`` (out, r), ``svft_s`` (r,) and ``svft_v`` (in, r) are frozen and in no checkpoint; ``svft_m`` holds the
    trained entries of M. All are in fp32 whatever the layer is in.
    """

    adapter_layer_names = ("svft_m",)

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: SVFTConfig) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.transposed = isinstance(base_layer, Conv1D)
        weight = base_layer.weight.detach()
        factors = kept_factors(weight, self.transposed, config.rank)
        for name, value in zip(("svft_u", "svft_s", "svft_v"), factors, strict=True):
            self.register_buffer(name, value, persistent=False)
        rank = len(self.svft_s)
        self.register_buffer("svft_entries", entries(config, rank).to(weight.device), persistent=False)
        self.width = None if config.pattern == "random" else _width(config, rank)
        start = torch.zeros(self.svft_entries.shape[1], device=weight.device)
        self.svft_m = nn.ParameterDict({adapter_name: nn.Parameter(start)})

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Return the base layer's output, plus U M Vᵀ x unless it is merged into the weight."""
        base: torch.Tensor = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters or self.merged:
            return base
        change = self._mixed(x.to(self.svft_v.dtype) @ self.svft_v) @ self.svft_u.T
        return base + change.to(base.dtype)

    def _mixed(self, z: torch.Tensor) -> torch.Tensor:
        """M z for each z in (…, r): by shifts where M is a band, which costs next to nothing, else by M itself."""
        values = self.svft_m[self.active_adapters[0]]
        rank = z.shape[-1]
        if self.width is None:
            return z @ torch.zeros(rank, rank, device=values.device).index_put(tuple(self.svft_entries), values).T
        offsets = range(-self.width, self.width + 1)
        diagonals = values.split([rank - abs(offset) for offset in offsets])
        mixed = [
            pad(z[..., max(0, offset) : rank + min(0, offset)] * diagonal, (max(0, -offset), max(0, offset)))
            for offset, diagonal in zip(offsets, diagonals, strict=True)
        ]
        return sum(mixed[1:], mixed[0])

    def delta(self) -> torch.Tensor:
        """Return U M Vᵀ in the shape of the base layer's weight."""
        change = self.svft_u @ self._mixed(self.svft_v).T
        return change.T if self.transposed else change

    @torch.no_grad()
    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        """Add U M Vᵀ to the base layer's weight."""
        if not self.merged:
            self._add(self.delta())
            self.merged_adapters = list(self.active_adapters)

    @torch.no_grad()
    def unmerge(self) -> None:
        """Subtract U M Vᵀ from the base layer's weight."""
        if self.merged:
            self._add(-self.delta())
            self.merged_adapters = []

    def _add(self, change: torch.Tensor) -> None:
        weight = self.base_layer.weight
        weight.data = (weight.data.float() + change).to(weight.dtype)


class SVFTModel(BaseTuner):
    """Tuner that wraps linear layers in ``SVFTLayer``."""

    prefix = "svft_"
    tuner_layer_cls = SVFTLayer
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}

    def _prepare_adapter_config(self, peft_config: SVFTConfig, model_config: dict[str, Any]) -> SVFTConfig:
        if peft_config.target_modules is None:
            peft_config.target_modules = "all-linear"
        return peft_config

    def _create_and_replace(
        self,
        peft_config: SVFTConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        if not isinstance(target, nn.Linear | Conv1D) or not target.weight.is_floating_point():
            raise ValueError(f"takes linear layers with weights that are not quantised, '{current_key}' is none")
        self._replace_module(parent, target_name, SVFTLayer(target, adapter_name, peft_config), target)


def kept_factors(weight: torch.Tensor, transposed: bool, rank: int | None) -> Factors:
    """Return ``singular_factors`` of a weight, (out, in) or ``transposed``, decomposed once for all that share it.

    They are kept with the memory of the weight and are freed with it: the training, the loading for answers and the
    next cell work on the same base model. A weight that has changed is decomposed anew, and so is another rank.
    """
    if weight.is_meta:  # without numbers, and without memory
        return singular_factors((weight.T if transposed else weight).float(), rank)
    memory = weight.untyped_storage()
    key = digest(weight), weight.shape, weight.stride(), transposed, rank
    known = getattr(memory, "svft_factors", None)
    if known is None or known[0] != key:
        known = key, singular_factors((weight.T if transposed else weight).float(), rank)
        memory.svft_factors = known
    factors: Factors = known[1]
    return factors


def digest(weight: torch.Tensor) -> bytes:
    """Return a hash of a weight's bits."""
    return sha256(weight.cpu().contiguous().view(torch.uint8).numpy().data).digest()


def singular_factors(matrix: torch.Tensor, rank: int | None) -> Factors:
    """Return U (out, r), S (r,), V (in, r) of a matrix (out, in), the largest entry of each column of U positive.

    A decomposition leaves the sign of each pair (u, v) open, and libraries differ in it; an entry of M off the diagonal
    would change its meaning with it.
    """
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    largest = u.gather(0, u.abs().argmax(0, keepdim=True))
    sign = torch.where(largest < 0, -1.0, 1.0)
    return (u * sign)[:, :rank].contiguous(), s[:rank], (vh.T * sign)[:, :rank].contiguous()


def entries(config: SVFTConfig, rank: int) -> torch.Tensor:
    """Return the rows and columns (2, entries) of M's trained entries: diagonal by diagonal, or as drawn.

    >>> entries(SVFTConfig(pattern="banded", off_diagonals=1), rank=3).tolist()
    [[1, 2, 0, 1, 2, 0, 1], [0, 1, 0, 1, 2, 1, 2]]
    """
    places = torch.arange(rank, device="cpu")
    width = _width(config, rank)
    below = [torch.stack((places[offset:], places[: rank - offset])) for offset in range(width, 0, -1)]
    band = torch.cat([*below, torch.stack((places, places)), *(part.flip(0) for part in reversed(below))], dim=1)
    if config.pattern != "random":
        return band
    draw = torch.Generator(device="cpu").manual_seed(config.entry_seed)
    drawn = torch.randperm(rank * rank, generator=draw, device="cpu")[: band.shape[1]].sort().values
    return torch.stack((drawn // rank, drawn % rank))


def _width(config: SVFTConfig, rank: int) -> int:
    """Diagonals on each side of the main one."""
    return 0 if config.pattern == "plain" else min(config.off_diagonals, rank - 1)
