"""Counting operations: by shapes as by numbers, for every method; once a machine."""

import json
from pathlib import Path

import pytest
import tiny
import torch
from torch import nn

from peft_pipelines.costs import flops
from peft_pipelines.costs.operations import OperationCounter
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import Base


def by_numbers(attached: Attached) -> float:
    ids = torch.zeros(1, 512, dtype=torch.long)
    with torch.no_grad(), OperationCounter() as counter:
        attached.plain(input_ids=ids, attention_mask=torch.ones_like(ids))
    return counter.total / 1e12


@pytest.mark.parametrize(("name", "family"), [pair for pair in tiny.CASES if pair[1] in ("llama", "gemma3")])
def test_shapes_give_the_count_of_a_forward_with_numbers(name: str, family: str) -> None:
    attached = tiny.attach(name, family)
    assert flops.forward_tflop(attached) == by_numbers(attached) > 0


class Asking(nn.Module):
    """A forward that asks for a number."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return (
            self.inner(input_ids=input_ids, attention_mask=torch.ones_like(input_ids)) if input_ids.sum() == 0 else None
        )


def test_a_forward_that_needs_numbers_is_run() -> None:
    attached = tiny.attach("zero_shot", "llama")
    asking = Attached(attached.method, attached.core, Asking(attached.plain), None)
    assert flops.forward_tflop(asking) == flops.forward_tflop(attached)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "peft_pipelines" / "flops.json"


def base_of(family: str) -> Base:
    model = tiny.fresh(family)
    return Base(None, model, None, 0)


def test_a_count_is_kept_for_the_next_process(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attached = tiny.attach("lora", "llama")
    counted = flops.tflop_of(base_of("llama"), attached)
    (kept,) = json.loads(memory.read_text()).values()
    assert counted == float(kept) == by_numbers(attached)
    monkeypatch.setattr(flops, "forward_tflop", lambda _: pytest.fail("counted again"))
    assert flops.tflop_of(base_of("llama"), attached) == counted


def test_another_row_or_model_is_another_count(memory: Path) -> None:
    llama, gpt2 = base_of("llama"), base_of("gpt2")
    flops.tflop_of(llama, tiny.attach("lora", "llama"))
    flops.tflop_of(llama, tiny.attach("bitfit", "llama"))
    flops.tflop_of(llama, Attached(tiny.attach("lora", "llama").method, llama.model, llama.model, None))
    flops.tflop_of(gpt2, tiny.attach("lora", "gpt2"))
    assert len(json.loads(memory.read_text())) == len({*llama.measured, *gpt2.measured}) == 4


def test_training_and_seed_do_not_ask_for_another_count(memory: Path) -> None:
    attached = tiny.attach("lora", "llama", seed=0)
    flops.tflop_of(base_of("llama"), attached)
    again = tiny.attach("lora", "llama", seed=1)
    again.method = again.method.model_copy(update={"training": {"learning_rate": 0.5}, "notes": "slower"})
    flops.tflop_of(base_of("llama"), again)
    assert len(json.loads(memory.read_text())) == 1


def test_a_shape_that_training_has_chosen_is_another_count(memory: Path) -> None:
    """As of a method that takes ranks away while it trains."""
    attached = tiny.attach("lora", "llama")
    wide = flops.tflop_of(base_of("llama"), attached)
    for name, part in attached.core.named_modules():
        if name.endswith("lora_A.default"):
            part.weight.data = part.weight.data[:4]
        if name.endswith("lora_B.default"):
            part.weight.data = part.weight.data[:, :4]
    assert flops.tflop_of(base_of("llama"), attached) < wide
