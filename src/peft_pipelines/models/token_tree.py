"""A batch as one tree of tokens: what examples begin with alike is run once, and nothing is padded.

A node is a token behind the same tokens, an example the path from the root to its last token. The nodes stand in one
sequence; a token attends to its own path alone, and its position is its depth. So each example sees the same tokens at
the same positions as in a row of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache, PreTrainedModel

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import tree_attention, tree_kernel
from peft_pipelines.models.forward import placed, takes, whole
from peft_pipelines.models.last_layer import end_only_at
from peft_pipelines.models.tree_mask import head_width

SLOWER = 1.5
"""How much slower a multiplication is in attention with a mask than in a product of matrices (docs/speed.md)."""

MODEL_TYPES = frozenset(
    [
        "apertus",
        "arcee",
        "codegen",
        "cohere",
        "cohere2",
        "ernie4_5",
        "exaone4",
        "gemma",
        "gemma2",
        "gemma3_text",
        "glm",
        "glm4",
        "gpt2",
        "gpt_neox",
        "gpt_oss",
        "gptj",
        "granite",
        "granitemoe",
        "helium",
        "hunyuan_v1_dense",
        "llama",
        "mistral",
        "mixtral",
        "nemotron",
        "olmo",
        "olmo2",
        "olmo3",
        "olmoe",
        "opt",
        "persimmon",
        "phi",
        "phi3",
        "phimoe",
        "qwen2",
        "qwen3",
        "seed_oss",
        "smollm3",
        "stablelm",
        "starcoder2",
    ]
)
"""The model types whose trees are tested to give the logits of rows.

Others may read a token's place in the sequence where its position is meant (biases by distance, windows of their own,
recurrent layers), and give other numbers without an error.
"""


@dataclass(frozen=True)
class TokenTree:
    """The tokens of several examples, those that begin alike once.

    Attributes:
        ids: token ids (nodes), parents before their children.
        depths: the position of each node in its examples (nodes), from 0.
        children: the node of a token behind a node, by both, in the order of the nodes; behind -1 the roots.
        paths: for each example the node of each of its tokens.
    """

    ids: torch.Tensor
    depths: torch.Tensor
    children: dict[tuple[int, int], int]
    paths: list[list[int]]

    @classmethod
    def of(cls, examples: Sequence[Sequence[int]], device: torch.device | str = "cpu") -> "TokenTree":
        """Return the tree of examples.

        >>> tree = TokenTree.of([[7, 8, 9], [7, 8, 5, 9]])
        >>> tree.ids.tolist(), tree.depths.tolist(), tree.paths
        ([7, 8, 9, 5, 9], [0, 1, 2, 2, 3], [[0, 1, 2], [0, 1, 3, 4]])
        """
        children: dict[tuple[int, int], int] = {}
        paths = [_path(tokens, children) for tokens in examples]
        depths: list[int] = []
        for parent, _ in children:
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
        ids = torch.tensor([token for _, token in children])
        return cls(placed(ids, device), placed(torch.tensor(depths), device), children, paths)

    def ancestors(self) -> torch.Tensor:
        """Return (nodes, nodes), true where the column's node is on the row's path, itself included.

        >>> TokenTree.of([[7, 8, 9], [7, 8, 5, 9]]).ancestors()[4].tolist()
        [True, True, False, True, True]
        """
        found = torch.eye(len(self.children), dtype=torch.bool)
        for node, (parent, _) in enumerate(self.children):
            if parent >= 0:
                found[node] |= found[parent]
        return placed(found, self.ids.device)


def _path(tokens: Sequence[int], children: dict[tuple[int, int], int]) -> list[int]:
    """The nodes of an example; those that no example before it has are added."""
    path, node = [], -1
    for token in tokens:
        node = children.setdefault((node, token), len(children))
        path.append(node)
    return path


def packing_refused(attached: Attached) -> str | None:
    """Return the reason why the method or its model cannot run a tree; None where they can.

    What a method says against a shared prefix stands against a tree, which shares more.
    """
    for name in ("packed_batches", "shared_prefix"):
        if name in attached.refuses:
            return attached.refuses[name]
    if attached.core.config.model_type not in MODEL_TYPES:
        return f"trees are not tested on models of type '{attached.core.config.model_type}'"
    if not takes(attached, "position_ids"):
        return "the model's forward takes no position_ids"
    return None


def tree_logits(
    attached: Attached, tree: TokenTree, places: Sequence[int], before: Cache | None = None, *, flex: bool = False
) -> torch.Tensor:
    """Return the logits (places, vocabulary) behind some nodes, by one forward of the tree.

    Args:
        attached: the method on its clone of the base; ``packing_refused`` lets it through.
        tree: of the examples.
        places: nodes, the same one as often as it is wanted.
        before: keys and values that all examples begin with, soft prompt included; None for the soft prompt alone.
        flex: whether by FlexAttention; ``tree_kernel.flex_refused`` has nothing against it.
    """
    core, cache = attached.core, None
    if before is not None:
        cache = whole(before)
    elif attached.start:
        cache = attached.start()
    once = list(dict.fromkeys(places))
    nodes = placed(torch.tensor(once, dtype=torch.long), core.device)
    with end_only_at(core, (torch.zeros_like(nodes), nodes)):
        logits: torch.Tensor = run(core, tree, cache, flex=flex).logits[0]
    if len(once) == len(places):
        return logits
    order = {node: place for place, node in enumerate(once)}
    return logits[placed(torch.tensor([order[node] for node in places]), core.device)]


def pair_work(core: PreTrainedModel) -> float:
    """Return the work of comparing two tokens in all layers, in that of a token; 0 where only paths are compared.

    A token is multiplied with each weight of the layers once, a pair in two products of a layer's width, which are
    ``SLOWER`` to compute.
    """
    if tree_attention.allows(core):
        return 0.0
    words = {id(part.weight) for part in (core.get_input_embeddings(), core.get_output_embeddings())}
    weights = sum(value.numel() for value in core.parameters() if id(value) not in words)
    width = core.config.num_hidden_layers * core.config.num_attention_heads * head_width(core)
    return float(SLOWER * 2 * width / max(1, weights))


def run(core: PreTrainedModel, tree: TokenTree, cache: Cache | None, *, flex: bool) -> Any:
    """Return the model's output for a tree behind a cache of one row, which grows by the tree's nodes."""
    before = cache.get_seq_length() if cache is not None else 0
    with tree_kernel.attending(core, tree, cache, flex=flex) as masks:
        return core(
            input_ids=tree.ids[None],
            attention_mask=masks if len(masks) > 1 else next(iter(masks.values())),
            position_ids=tree.depths[None] + before,
            past_key_values=cache,
            use_cache=cache is not None,
        )
