"""The end of a forward at some positions gives the numbers of a whole one there."""

import pytest
import tiny
import torch
from torch import nn

from peft_pipelines.methods.decoder import decoder_layers
from peft_pipelines.models.last_layer import end_only_at, feed_forward

CHOSEN = (torch.tensor([0, 1, 1]), torch.tensor([4, 0, 6]))


def seen(part: nn.Module) -> list[int]:
    """How many tokens a linear layer in a module is given at each call from now on."""
    found: list[int] = []
    first = next(each for each in part.modules() if isinstance(each, nn.Linear) or type(each).__name__ == "Conv1D")
    usual = first.forward

    def counted(states: torch.Tensor) -> torch.Tensor:
        found.append(states.shape[:-1].numel())
        return usual(states)

    first.forward = counted
    return found


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_only_chosen_tokens_go_through_the_end_with_the_same_numbers(family):
    core = tiny.stir(tiny.attach("lora", family)).core
    ids = tiny.ids(8, rows=2)
    expected = core(input_ids=ids).logits[CHOSEN]
    part = feed_forward(core)
    last = seen(part if part else decoder_layers(core)[-1])
    head = seen(nn.ModuleList([core.get_output_embeddings()]))
    with end_only_at(core, CHOSEN):
        found = core(input_ids=ids).logits
    assert found.shape[:2] == (1, 3) and torch.allclose(found[0], expected, atol=1e-5 * expected.abs().max().item())
    assert (last, head) == ([3] if part else [16], [3])
    assert core(input_ids=ids).logits.shape[:2] == (2, 8)


def test_families_whose_layers_have_a_part_of_this_kind():
    without = {family for family in tiny.FAMILIES if not feed_forward(tiny.attach("lora", family).core)}
    assert without == {"opt"}


def test_gradients_are_those_of_a_whole_forward():
    attached = tiny.stir(tiny.attach("full", "llama"))
    ids = tiny.ids(8, rows=2)
    names, values = zip(*attached.trainable().items(), strict=True)
    weights = torch.randn(3, attached.core(input_ids=ids).logits.shape[-1], generator=torch.Generator().manual_seed(0))
    whole = torch.autograd.grad((attached.core(input_ids=ids).logits[CHOSEN] * weights).sum(), values)
    with end_only_at(attached.core, CHOSEN):
        logits = attached.core(input_ids=ids).logits[0]
    for name, one, other in zip(names, torch.autograd.grad((logits * weights).sum(), values), whole, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max(), name


def test_where_nothing_is_wanted_the_part_does_not_run():
    core = tiny.attach("zero_shot", "llama").core
    last = seen(feed_forward(core))
    nothing = torch.zeros(0, dtype=torch.long)
    with end_only_at(core, (nothing, nothing)):
        assert core(input_ids=tiny.ids(8)).logits.shape[1] == 0
    assert last == []


def test_a_part_that_a_method_hooks_into_is_left_whole():
    assert feed_forward(tiny.attach("sequential_bottleneck", "qwen2").core) is None
    assert feed_forward(tiny.attach("zero_shot", "qwen2").core)


def test_layers_that_run_again_are_left_whole():
    core = tiny.attach("lora", "llama").core
    assert feed_forward(core)
    core.train()
    core.gradient_checkpointing_enable()
    assert feed_forward(core) is None
    core.eval()
    assert feed_forward(core)


def test_a_module_with_a_forward_of_its_own_has_it_again():
    core = tiny.attach("zero_shot", "llama").core
    part = feed_forward(core)
    own = part.forward = torch.zeros_like
    with end_only_at(core, CHOSEN):
        core(input_ids=tiny.ids(8, rows=2))
    assert part.forward is own
