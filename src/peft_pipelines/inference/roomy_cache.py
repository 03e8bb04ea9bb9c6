"""A cache for decoding with room for more tokens: a new one is written behind the others, and nothing is copied.

The library's cache joins old and new tensors at each token, and so copies all keys and values of all rows each time.
"""

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens that there is room for beyond those that are there, each time that room is made."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # the library has no types
    """A layer whose ``keys`` and ``values`` are the beginnings of longer tensors.

    Attributes:
        store: keys and values (rows, heads, tokens and room, width of a head).
    """

    def __init__(self, layer: DynamicLayer) -> None:
        """Take the keys and values of a layer, which is left empty."""
        super().__init__()
        self.lazy_initialization(layer.keys)
        self.keys, self.values = layer.keys, layer.values
        self.store = (layer.keys, layer.values)
        layer.keys = layer.values = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write keys and values (rows, heads, new tokens, width) behind the others and return all."""
        there, new = self.keys.shape[2], key_states.shape[2]
        if self.store[0].shape[2] < there + new:
            self.store = (_with_room(self.keys, new + ROOM), _with_room(self.values, new + ROOM))
        for whole, states in zip(self.store, (key_states, value_states), strict=True):
            whole[:, :, there : there + new] = states
        self._show(there + new)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows, and the room behind them."""
        there = self.keys.shape[2]
        self.store = (self.store[0][indices], self.store[1][indices])
        self._show(there)

    def _show(self, tokens: int) -> None:
        self.keys, self.values = (whole[:, :, :tokens] for whole in self.store)


def _with_room(kept: torch.Tensor, room: int) -> torch.Tensor:
    rows, heads, tokens, width = kept.shape
    whole = kept.new_empty(rows, heads, tokens + room, width)
    whole[:, :, :tokens] = kept
    return whole


def with_room(cache: Cache) -> Cache:
    """Return the keys and values of a cache as one with room, and leave it empty; other layers than plain ones stay.

    A cache of another class is returned as it is: it may hold more than layers, as one that a method brings does.
    """
    if type(cache) is not DynamicCache:
        return cache
    roomy = DynamicCache()
    roomy.layers = [
        RoomyLayer(layer) if type(layer) is DynamicLayer and layer.get_seq_length() else layer for layer in cache.layers
    ]
    return roomy
