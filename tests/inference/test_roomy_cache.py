"""The cache with room: the same keys and values as the library's, without a copy at each token."""

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicSlidingWindowLayer

from peft_pipelines.inference.roomy_cache import ROOM, with_room


def states(seed: int, rows: int = 3, tokens: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    keys, values = (torch.randn(rows, 2, tokens, 4, generator=chance) for _ in range(2))
    return keys, values


def filled(tokens: int = 5) -> DynamicCache:
    cache = DynamicCache()
    for layer in range(2):
        cache.update(*states(layer, tokens=tokens), layer)
    return cache


def test_keys_and_values_are_those_of_the_librarys_cache() -> None:
    usual, roomy = filled(), with_room(filled())
    rows = 3
    for step in range(2 * ROOM):
        if step in (10, ROOM + 3):
            keep = torch.tensor([0, rows - 1])
            usual.batch_select_indices(keep)
            roomy.batch_select_indices(keep)
            rows = 2
        for layer in range(2):
            new = states(100 * step + layer, rows)
            expected, found = usual.update(*new, layer), roomy.update(*new, layer)
            assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
        assert roomy.get_seq_length() == usual.get_seq_length() == 6 + step


def test_a_token_within_the_room_copies_nothing() -> None:
    roomy = with_room(filled())
    places = set()
    for step in range(ROOM):
        keys, _ = roomy.update(*states(step), 0)
        places.add(keys.data_ptr())
    assert len(places) == 1
    for step in range(2):
        roomy.update(*states(step), 0)
    assert roomy.layers[0].keys.data_ptr() not in places


def test_the_first_cache_is_left_empty_and_layers_with_a_window_stay() -> None:
    cache = filled()
    sliding = DynamicSlidingWindowLayer(sliding_window=4)
    cache.layers[1] = sliding
    roomy = with_room(cache)
    assert cache.layers[0].keys is None and roomy.layers[1] is sliding


def test_a_cache_of_another_class_stays_as_it_is() -> None:
    class Paired(DynamicCache):
        """Holds more than its layers, which a copy of the layers alone would lose."""

    cache = Paired()
    cache.update(*states(0), 0)
    assert with_room(cache) is cache and cache.layers[0].keys is not None
