"""Bottleneck adapters: their place in each architecture, and library errors that stop at the provider's border."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import tiny
import torch
from torch import nn
from transformers import OPTConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.methods.adapterhub import NAME
from peft_pipelines.models import base_model

adapters = pytest.importorskip("adapters", reason="an environment may lack the library")
TOKENS = tiny.ids(12, rows=2)
ROWS = {
    "bottleneck": adapters.DoubleSeqBnConfig(),
    "sequential_bottleneck": adapters.SeqBnConfig(),
    "parallel_adapter": adapters.ParBnConfig(),
}
FEED_FORWARD = {
    "llama": ("model.layers.{}.mlp.down_proj", "model.layers.{}.post_attention_layernorm"),
    "opt": ("model.decoder.layers.{}.fc2", "model.decoder.layers.{}.final_layer_norm"),
    "gpt_neox": ("gpt_neox.layers.{}.mlp.dense_4h_to_h", "gpt_neox.layers.{}.post_attention_layernorm"),
}
"""The last projection of a block, and the norm whose input is the residual stream before the feed-forward part."""

SMALL = {"hidden_size": 32, "word_embed_proj_dim": 32, "num_hidden_layers": 1, "ffn_dim": 48, "num_attention_heads": 4}

per_row_and_family = pytest.mark.parametrize(
    ("name", "family"), [(name, family) for name in ROWS for family in tiny.FAMILIES]
)


def stirred(name: str, family: str) -> providers.Attached:
    attached = tiny.stir(tiny.attach(name, family))
    attached.plain.eval()
    return attached


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_are_the_librarys_architectures(name):
    attached = tiny.attach(name, "llama")
    assert attached.core.adapters_config.get(NAME) == ROWS[name]
    assert tiny.METHODS[name].source


@contextmanager
def by_hand(base: PreTrainedModel, attached: providers.Attached, name: str, family: str) -> Iterator[None]:
    """The same bottlenecks on the plain model, by hooks of the test's own."""
    handles, residuals = [], {}
    bottlenecks = [part for part in attached.core.modules() if isinstance(part, adapters.methods.modeling.Adapter)]
    for number, part in enumerate(bottlenecks):
        projection, norm = (base.get_submodule(path.format(number)) for path in FEED_FORWARD[family])

        def remember(module: nn.Module, args: tuple[torch.Tensor], number: int = number) -> None:
            residuals[number] = args[0]

        def add(
            module: nn.Module,
            args: tuple[torch.Tensor],
            output: torch.Tensor,
            number: int = number,
            part: nn.Module = part,
        ) -> torch.Tensor:
            residual = residuals[number].view_as(output)
            inner = residual if name == "parallel_adapter" else output + residual
            scale = 4.0 if name == "parallel_adapter" else 1.0
            return output + scale * part.adapter_up(torch.relu(part.adapter_down[0](inner)))

        handles += [norm.register_forward_pre_hook(remember), projection.register_forward_hook(add)]
    yield
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("family", FEED_FORWARD)
@pytest.mark.parametrize("name", ["sequential_bottleneck", "parallel_adapter"])
def test_each_bottleneck_stands_where_its_paper_has_it(name, family):
    attached = stirred(name, family)
    base = base_model.clone(tiny.base(family))
    with by_hand(base, attached, name, family):
        expected = tiny.logits(base, TOKENS)
    assert torch.allclose(tiny.logits(attached.plain, TOKENS), expected, atol=1e-5)
    assert not torch.allclose(expected, tiny.logits(tiny.base(family), TOKENS), atol=0.1)


def test_each_layers_bottleneck_uses_its_own_norm():
    """The library would take the last layer's norm in all layers."""
    attached = stirred("sequential_bottleneck", "gemma3")

    def first_layer() -> torch.Tensor:
        with torch.no_grad():
            return attached.core(input_ids=TOKENS, output_hidden_states=True).hidden_states[1]

    before = first_layer()
    norms = [layer.post_feedforward_layernorm for layer in attached.core.model.layers]
    norms[-1].weight = nn.Parameter(norms[-1].weight + 1)
    assert torch.equal(first_layer(), before)
    norms[0].weight = nn.Parameter(norms[0].weight + 1)
    assert not torch.allclose(first_layer(), before, atol=0.1)


@per_row_and_family
def test_cached_padded_batches_answer_as_single_examples_without_cache(name, family):
    attached = stirred(name, family)
    short, long, new = TOKENS[1:, :9], TOKENS[:1], 6
    padded = torch.cat([torch.cat([torch.full((1, 3), 257), short], dim=1), long])
    found = attached.core.generate(
        input_ids=padded,
        attention_mask=(padded != 257).long(),
        max_new_tokens=new,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=257,
    )[:, -new:]
    expected = []
    for row in (short, long):
        for _ in range(new):
            row = torch.cat([row, tiny.logits(attached.plain, row)[:, -1:].argmax(-1)], dim=1)  # noqa: PLW2901
        expected.append(row[:, -new:])
    assert torch.equal(found, torch.cat(expected))


@per_row_and_family
def test_a_half_precision_base_needs_no_autocast(name, family):
    base = tiny.fresh(family, torch.bfloat16)
    attached = tiny.stir(providers.attach(base_model.clone(base), tiny.METHODS[name], seed=0))
    found = tiny.logits(attached.plain, TOKENS)
    assert found.dtype == torch.bfloat16
    assert (found - tiny.logits(stirred(name, family).plain, TOKENS)).abs().max() < 0.3
    assert {value.dtype for value in attached.trainable().values()} == {torch.float32}


@pytest.mark.parametrize("name", ROWS)
def test_the_library_itself_reads_the_checkpoint(name, tmp_path):
    attached = stirred(name, "gpt2")
    providers.save(attached, tmp_path)
    model = base_model.clone(tiny.base("gpt2"))
    adapters.init(model)
    model.set_active_adapters(model.load_adapter(str(tmp_path), with_head=False, use_safetensors=True))
    assert torch.equal(tiny.logits(model, TOKENS), tiny.logits(attached.plain, TOKENS))


@pytest.mark.parametrize("name", ROWS)
def test_norms_behind_the_residual_sums_are_refused_early(name):
    with torch.device("meta"):
        skeleton = AutoModelForCausalLM.from_config(OPTConfig(**SMALL, do_layer_norm_before=False))
    with pytest.raises(ConfigError) as caught:
        providers.check(tiny.METHODS[name], skeleton)
    assert str(caught.value) == (
        f"method '{name}' on model type 'opt': its norms stand behind the residual sums, where the library cannot "
        "place a bottleneck"
    )
