"""The mask of a tree: a node sees its own path, as far as the layer's window reaches, and what is cached."""

import tiny
import torch

from peft_pipelines.models.token_tree import TokenTree
from peft_pipelines.models.tree_mask import tree_masks

TREE = TokenTree.of([[1, 2, 3], [1, 4]])  # nodes 1, 2, 3, 4


def seen(family: str, window: int | None = None) -> dict[str, list[list[int]]]:
    core = tiny.fresh(family)
    core.config.sliding_window = window
    masks = tree_masks(core, TREE.ancestors(), TREE.depths, None)
    assert all(set(mask.unique().tolist()) <= {0.0, -torch.inf} for mask in masks.values())
    return {kind: (mask[0, 0] == 0).int().tolist() for kind, mask in masks.items()}


def test_a_node_sees_its_own_path():
    assert seen("llama") == {"all": [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1]]}


def test_a_window_is_counted_in_positions_not_in_places():
    assert seen("mistral", window=2) == {"all": [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]}


def test_each_kind_of_layer_has_a_mask_of_its_own():
    found = seen("gemma3", window=1)
    assert found["sliding_attention"] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert found["full_attention"] == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 1]]
