"""On a GPU FlexAttention's kernels give the loss and the gradients of attention along the paths."""

import pytest
import torch
from base_rows import METHODS
from placed import NO_GPU
from small_trainings import step_in_branches
from torch._dynamo.utils import counters
from transformers import AutoModelForCausalLM, LlamaConfig

from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.models.tree_flex import attention, block_mask
from peft_pipelines.models.tree_kernel import flex_refused

pytestmark = [pytest.mark.cuda, NO_GPU]

CLOSE = {torch.float32: (1e-5, 1e-3), torch.bfloat16: (1e-2, 5e-2)}
"""By precision how far loss and gradients may lie apart, of the loss and of the largest gradient."""


def rows() -> list[Encoded]:
    """Eight examples behind one start, half of them behind a passage."""
    draw = torch.Generator().manual_seed(0)
    start, passage, *texts = (torch.randint(0, 500, (n,), generator=draw).tolist() for n in (60, 300, *range(20, 28)))
    return [Encoded(start + passage * (n % 2) + text, text[:3], False) for n, text in enumerate(texts)]


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("heads", [(4, 4), (6, 2)])
def test_kernels_give_the_loss_and_gradients_of_the_paths(dtype, heads):
    sizes = {"hidden_size": 64 * heads[0], "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": 512}
    torch.manual_seed(0)
    config = LlamaConfig(**sizes, num_attention_heads=heads[0], num_key_value_heads=heads[1])
    core = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").to(dtype).cuda().requires_grad_(False)
    attached = providers.attach(core, METHODS["lora"], 0)
    for parameter in attached.trainable().values():
        parameter.data += 0.05 * torch.randn_like(parameter)
    assert flex_refused(attached.core, dtype) is None
    for tokens in (10_000, 400):
        expected, others = step_in_branches(attached, rows(), 60, tokens, flex=False)
        loss, gradients = step_in_branches(attached, rows(), 60, tokens, flex=True)
        assert loss == pytest.approx(expected, rel=CLOSE[dtype][0])
        largest = max(value.abs().max() for value in others.values())
        apart = max((gradients[name] - value).abs().max() for name, value in others.items())
        assert apart <= CLOSE[dtype][1] * largest


def test_any_lengths_compile_three_kernels_at_most():
    before = counters["stats"]["unique_graphs"]
    for length in range(200, 2000, 200):
        side = torch.randn(1, 4, length, 64, device="cuda", dtype=torch.bfloat16)
        with torch.no_grad():
            attention(block_mask([-1, *range(length - 1)], 0, torch.device("cuda")))(None, side, side, side)
    assert counters["stats"]["unique_graphs"] - before <= 3
