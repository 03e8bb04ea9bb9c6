"""The floating-point operations that exact numbers need: tokens of a tree, and the products of a Llama-like model."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

UNASKED = ("q_proj", "k_proj", "v_proj")
"""The matrices that stand first in a layer: in the first layer nothing asks for the gradient of what goes into them."""
KEPT = ("k_proj", "v_proj")
"""The matrices whose results other tokens read. In the last layer all else is needed where there are logits only."""


@dataclass(frozen=True)
class Shapes:
    """The widths of a Llama-like model, and the adapters on its matrices.

    Attributes:
        matrices: by name the numbers of columns in and out, of one layer.
        layers: how often they occur.
        width: numbers of a head times the number of heads.
        vocabulary: the columns of the output head; `hidden` goes in.
        rank: of the adapters.
        targets: the names of the matrices that have one.
    """

    matrices: dict[str, tuple[int, int]]
    layers: int
    width: int
    hidden: int
    vocabulary: int
    rank: int
    targets: tuple[str, ...]

    @classmethod
    def of(cls, config: dict[str, Any], lora: dict[str, Any]) -> "Shapes":
        """The shapes of a model's `config.json` with a LoRA config."""
        hidden, inner, size = config["hidden_size"], config["intermediate_size"], config["head_dim"]
        heads, shared = config["num_attention_heads"] * size, config["num_key_value_heads"] * size
        matrices = {"q_proj": (hidden, heads), "k_proj": (hidden, shared), "v_proj": (hidden, shared)}
        matrices |= {"o_proj": (heads, hidden), "gate_proj": (hidden, inner), "up_proj": (hidden, inner)}
        matrices["down_proj"] = (inner, hidden)
        targets = tuple(lora["target_modules"])
        return cls(matrices, config["num_hidden_layers"], heads, hidden, config["vocab_size"], lora["r"], targets)

    def forward(self, work: "Work") -> float:
        """Operations of a forward pass."""
        return self._layers(work, adapters=1, compared=4) + self._head() * work.heads

    def backward(self, work: "Work") -> float:
        """Operations of the gradients: of all that leads to an adapter, and of the adapters."""
        unasked = sum(2 * columns * out for name, (columns, out) in self.matrices.items() if name in UNASKED)
        unasked += sum(2 * self.rank * self.matrices[name][0] for name in self.targets if name in UNASKED)
        return self._layers(work, adapters=2, compared=8) - unasked * work.nodes + self._head() * work.heads

    def _layers(self, work: "Work", *, adapters: int, compared: int) -> float:
        """Operations of all layers; the last one makes keys and values of all tokens, and the rest for logits alone."""
        of = {name: 2 * columns * out for name, (columns, out) in self.matrices.items()}
        of |= {name: of[name] + adapters * 2 * self.rank * sum(self.matrices[name]) for name in self.targets}
        whole, kept = sum(of.values()), sum(of[name] for name in KEPT)
        last = kept * work.nodes + (whole - kept) * work.heads + compared * self.width * work.seen
        return (self.layers - 1) * (whole * work.nodes + compared * self.width * work.pairs) + last

    def _head(self) -> int:
        return 2 * self.hidden * self.vocabulary


@dataclass(frozen=True)
class Work:
    """Tokens that differ in what stands before them, their comparisons with it and themselves, and those with logits.

    ``seen`` is the comparisons of the tokens with logits.
    """

    nodes: int = 0
    pairs: int = 0
    heads: int = 0
    seen: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*map(sum, zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: "Work") -> "Work":
        return Work(*(one - two for one, two in zip(astuple(self), astuple(other), strict=True)))


def tree(rows: Iterable[tuple[Sequence[int], Sequence[int]]]) -> Work:
    """The work of rows of prompt and answer as one tree; the last token of an answer predicts nothing.

    >>> tree([((1, 2), (7, 9)), ((1, 3), (7, 9))])
    Work(nodes=5, pairs=11, heads=4, seen=10)
    """
    depths: dict[tuple[int, ...], int] = {}
    heads = set()
    for prompt, answer in rows:
        ids = tuple(prompt) + tuple(answer[:-1])
        for end in range(1, len(ids) + 1):
            depths[ids[:end]] = end
        heads |= {ids[:end] for end in range(len(prompt), len(ids) + 1)}
    return Work(len(depths), sum(depths.values()), len(heads), sum(map(len, heads)))
