"""The operations of the floor are those that torch counts, on a small model."""

import doctest
from dataclasses import replace
from functools import cache
from typing import Any

import exact_work
import pytest
import tiny
import torch
from exact_work import Shapes, Work, tree
from peft import LoraConfig, get_peft_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

LORA: dict[str, Any] = {"r": 4, "lora_dropout": 0.0}
ROWS = 3, 11


@cache
def counted(*targets: str) -> tuple[Shapes, float, float]:
    """The shapes, and what torch counts in a forward and in its gradients, without attention."""
    base = tiny.fresh("llama")
    lora = {**LORA, "target_modules": list(targets)}
    shapes = Shapes.of(base.config.to_dict(), lora)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **lora))
    found = []
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as forward:
        loss = model(input_ids=torch.randint(0, 200, ROWS)).logits.sum()
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    for counter in (forward, backward):
        products = counter.get_flop_counts()["Global"]
        found.append(sum(count for name, count in products.items() if "bmm" not in str(name)))
    return shapes, *found


NODES = Work(nodes=ROWS[0] * ROWS[1], pairs=0, heads=ROWS[0] * ROWS[1])


@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), ("k_proj", "v_proj", "down_proj")])
def test_a_forward_has_the_products_that_torch_counts(targets: tuple[str, ...]) -> None:
    shapes, forward, _ = counted(*targets)
    assert shapes.forward(NODES) == forward


@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), ("k_proj", "v_proj", "down_proj")])
def test_gradients_have_the_products_that_torch_counts(targets: tuple[str, ...]) -> None:
    shapes, _, backward = counted(*targets)
    assert shapes.backward(NODES) == backward


def test_what_rows_begin_with_alike_is_one_node() -> None:
    assert doctest.testmod(exact_work) == (0, 1)
    rows = [((5, 6), (7, 8)), ((5, 6), (7, 9)), ((5,), (4, 3))]
    assert tree(rows) == Work(nodes=4, pairs=1 + 2 + 3 + 2, heads=4, seen=1 + 2 + 3 + 2)
    assert tree(rows + rows) == tree(rows)
    assert tree(rows[:1]) + tree(rows[2:]) == Work(nodes=5, pairs=9, heads=4, seen=8)


def test_attention_is_counted_by_the_pairs_that_see_each_other() -> None:
    shapes, _, _ = counted("q_proj", "v_proj")
    alone = Work(pairs=10, seen=10)
    assert shapes.forward(alone) == shapes.layers * 10 * 2 * 2 * shapes.width
    assert shapes.backward(alone) == 2 * shapes.forward(alone)


def test_the_last_layer_makes_keys_and_values_of_tokens_without_logits() -> None:
    shapes, _, _ = counted("k_proj", "v_proj", "down_proj")
    silent = shapes.forward(NODES) - shapes.forward(replace(NODES, heads=0))
    kept = {name for name in shapes.matrices if name in ("k_proj", "v_proj")}
    layer = sum(2 * columns * out for name, (columns, out) in shapes.matrices.items() if name not in kept)
    layer += 2 * shapes.rank * sum(shapes.matrices["down_proj"])
    assert silent == (layer + 2 * shapes.hidden * shapes.vocabulary) * NODES.nodes
