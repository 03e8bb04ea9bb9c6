"""Each tuner that the installed peft registers becomes a method by a row alone, or is refused with the reason."""

import math

import pytest
import tiny
import torch
from peft import PeftModel
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from resumed import resumes
from small_trainings import mean_loss

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import flops
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate
from peft_pipelines.methods import providers
from peft_pipelines.methods.config_check import dataclass_fields
from peft_pipelines.methods.type_check import fits, types_of
from peft_pipelines.models import base_model
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.shortcuts import Shortcuts

# what peft says of types and defaults that no row of ours uses: no bias, no CUDA, a default filled in, sparse tensors
pytestmark = pytest.mark.filterwarnings(r"default::UserWarning:peft\.")

TYPES = {str(kind.value): config for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
DEFAULT = (
    *("ADALORA", "ADAMSS", "BEFT", "BOFT", "DEFT", "DELORA", "FROD", "GLORA", "GRALORA", "HIRA", "HRA", "IA3"),
    *("LN_TUNING", "LOHA", "LOKR", "LORA", "OFT", "OSF", "PEANUT", "PVERA", "RANDLORA", "SUPERTUNING", "TINYLORA"),
    *("UNILORA", "VERA"),
)
"""Types whose defaults fit a tiny model."""

SIZED = {
    "ADAPTION_PROMPT": {"adapter_len": 4, "adapter_layers": 2},
    "C3A": {"block_size": 16},
    "CARTRIDGE": {"num_virtual_tokens": 4},
    "FOURIERFT": {"n_frequency": 100},
    "MISS": {"r": 8},
    "MULTITASK_PROMPT_TUNING": {"num_virtual_tokens": 4},
    "P_TUNING": {"num_virtual_tokens": 4},
    "PREFIX_TUNING": {"num_virtual_tokens": 4},
    "PROMPT_TUNING": {"num_virtual_tokens": 4},
    "PSOFT": {"r": 8},
    "ROAD": {"group_size": 8},
    "SHADOW": {"auxiliary_loss_weight": 0.0, "shadow_dropout": 0.0},
    "SHIRA": {"r": 4},
    "TRAINABLE_TOKENS": {"token_indices": [1, 2, 3, 9]},
    "VBLORA": {"vector_length": 16, "num_vectors": 8},
    "WAVEFT": {"n_frequency": 100},
}
"""Types whose defaults do not fit one, or that have none, and the least that they need."""

REFUSED = {
    "CPT": "its loss weighs the tokens of an example by their part",
    "LILY": "its router mixes all tokens of a batch",
    "POLY": "it needs the task of each example",
    "XLORA": "it mixes adapters that have been trained before",
}
VARIANTS = {
    "rank stabilised": {"use_rslora": True},
    "orthogonal": {"init_lora_weights": "orthogonal"},
    "gaussian": {"init_lora_weights": "gaussian"},
    "qr of the base": {"init_lora_weights": "olora"},
    "svd of the base": {"init_lora_weights": "pissa"},
    "random svd of the base": {"init_lora_weights": "pissa_niter_4"},
    "rank stabilised svd of the base": {"init_lora_weights": "pissa", "use_rslora": True},
    "truncated svd of the base": {"kasa_config": {"beta": 0.001}},
    "ranks by layer": {"init_lora_weights": "pissa", "rank_pattern": {"v_proj": 4}, "alpha_pattern": {"v_proj": 2}},
}
"""Options of LoRA, nested config classes among them."""

DRAWS_OR_CACHES = {"PVERA": "it draws at random for each token", "SHADOW": "it keeps a second cache"}
TOKENS = tiny.ids(12, rows=2)
CASES = [(kind, {}) for kind in DEFAULT] + list(SIZED.items())
each_type = pytest.mark.parametrize(("kind", "config"), CASES, ids=[kind for kind, _ in CASES])
each_variant = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)


def row(kind: str, config: dict, **values) -> MethodSpec:
    given = {"provider": "hf_peft", "family": "reparameterised", "training": {}, "citation": "-", **values}
    return MethodSpec(name="tuner", type=kind, config=config, **given)


def attach(kind: str, config: dict) -> providers.Attached:
    return providers.attach(base_model.clone(tiny.base("llama")), row(kind, config), 0)


def rows() -> list[Encoded]:
    texts = tiny.ids(14, rows=4).tolist()
    return [Encoded([9, 9, 9, *text[: 8 + number]], text[10:], False) for number, text in enumerate(texts)]


def loss_of(attached: providers.Attached, **training_args) -> torch.Tensor:
    attached.plain.train()
    model = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args(**training_args)), prefix=[9, 9, 9])
    return mean_loss(model, collate(rows(), pad=257))


def train(attached: providers.Attached, steps: int = 8) -> list[float]:
    optimizer = torch.optim.AdamW(attached.trainable().values(), lr=0.01)
    if attached.begin:
        attached.begin(steps)
    losses = []
    for step in range(steps):
        loss = loss_of(attached)
        losses.append(loss.item())
        (loss + attached.penalty() if attached.penalty else loss).backward()
        optimizer.step()
        if attached.after_step:
            attached.after_step(step + 1)
        optimizer.zero_grad()
    return losses


@pytest.fixture(autouse=True)
def _base_is_never_touched():
    base = tiny.base("llama")
    before = base_model.checksum(base), list(tiny.traits(base))
    yield
    assert (base_model.checksum(base), list(tiny.traits(base))) == before


def test_each_registered_type_is_taken_or_refused():
    assert sorted([*DEFAULT, *SIZED, *REFUSED]) == sorted(TYPES)


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_a_row_cannot_bring_is_refused_in_one_line(kind):
    with pytest.raises(ConfigError, match=f"^method 'tuner': type {kind} is not for a row: {REFUSED[kind]}") as caught:
        providers.check(row(kind, {}), tiny.skeleton("llama"))
    assert "\n" not in str(caught.value)


@each_type
def test_a_row_alone_trains_saves_and_answers(kind, config, tmp_path):
    providers.check(row(kind, config), tiny.skeleton("llama"))
    attached = attach(kind, config)
    losses = train(attached)
    assert losses[-1] < losses[0] - 0.02
    attached.plain.eval()
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base("llama")), row(kind, config), tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain, TOKENS))
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    prompts = [[9, 9, 9, 4, 5], [9, 9, 9], [9, 9, 9, 9, 8, 7, 6]]
    decoding = Decoding(max_new_tokens=4, stop=(9999,), pad=257, batch_size=3, shared_prefix=True, packed=True)
    assert generate(loaded, prompts, decoding) == [uncached(loaded, prompt, 4) for prompt in prompts]


RANKS = {"init_r": 6, "target_r": 2, "deltaT": 1}


@pytest.mark.parametrize(("kind", "config"), [("ADALORA", RANKS), *CASES], ids=str)
def test_resumed_in_the_middle_it_ends_at_the_same_bytes(kind, config, tmp_path):
    resumes(row(kind, config), "llama", tmp_path)


def uncached(attached: providers.Attached, prompt: list[int], tokens: int) -> list[int]:
    text = torch.tensor([prompt])
    for _ in range(tokens):
        text = torch.cat([text, tiny.logits(attached.plain, text)[:, -1:].argmax(-1)], dim=1)
    return text[0, len(prompt) :].tolist()


@each_type
def test_short_cuts_and_checkpointing_give_the_plain_loss_or_are_refused(kind, config):
    attached = tiny.stir(attach(kind, config))
    assert [*attached.refuses.values()] == [] or kind in {*DRAWS_OR_CACHES, "PREFIX_TUNING", "CARTRIDGE"}
    if kind in DRAWS_OR_CACHES:
        reasons = Shortcuts.of(attached, tiny.training_args()).reasons
        assert reasons["shared_prefix"].startswith(DRAWS_OR_CACHES[kind])
    if kind == "PVERA":
        return
    plain = loss_of(attached, packed_batches=False, shared_prefix=False, label_positions_only=False).item()
    assert loss_of(attached).item() == pytest.approx(plain, rel=1e-5)
    if "gradient_checkpointing" not in attached.refuses:
        attached.core.gradient_checkpointing_enable({"use_reentrant": False})
        attached.core.enable_input_require_grads()
        checkpointed = loss_of(attached, gradient_checkpointing=True, packed_batches=False, label_positions_only=False)
        assert checkpointed.item() == pytest.approx(plain, rel=1e-5)
        checkpointed.backward()
        assert any(value.grad is not None and value.grad.any() for value in attached.trainable().values())


@each_variant
def test_variants_of_lora_train_and_reload(config, tmp_path):
    method = row("LORA", {"r": 2, "target_modules": ["q_proj", "v_proj"], **config})
    providers.check(method, tiny.skeleton("llama"))
    attached = providers.attach(base_model.clone(tiny.base("llama")), method, 0)
    losses = train(attached)
    assert losses[-1] < losses[0] - 0.03
    attached.plain.eval()
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base("llama")), method, tmp_path)
    assert torch.allclose(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain, TOKENS), atol=1e-3)


@pytest.mark.parametrize("name", ["qr of the base", "svd of the base", "random svd of the base", "ranks by layer"])
def test_what_rewrites_the_base_is_saved_as_an_adapter_of_twice_the_rank(name, tmp_path):
    attached = attach("LORA", {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"], **VARIANTS[name]})
    assert attached.initial
    tiny.stir(attached).plain.eval()
    providers.save(attached, tmp_path)
    plain = PeftModel.from_pretrained(base_model.clone(tiny.base("llama")), str(tmp_path))
    assert (plain.active_peft_config.r, plain.active_peft_config.init_lora_weights) == (4, True)
    assert torch.allclose(tiny.logits(plain, TOKENS), tiny.logits(attached.plain, TOKENS), atol=1e-3)
    base = tiny.base("llama").get_parameter("model.layers.0.self_attn.q_proj.weight")
    assert torch.equal(plain.get_base_model().model.layers[0].self_attn.q_proj.base_layer.weight, base)


def test_the_penalty_is_the_librarys_own():
    attached = tiny.stir(attach("ADALORA", {"orth_reg_weight": 0.3}))
    batch = collate(rows(), pad=257)
    whole = attached.plain(**batch).loss
    bare = attached.core(**batch).loss
    assert attached.penalty().item() > 0.1
    assert (whole - bare).item() == pytest.approx(attached.penalty().item(), rel=1e-4)
    assert attach("LORA", {}).penalty is None


def test_a_schedule_of_ranks_runs_over_the_real_steps(tmp_path):
    attached = attach("ADALORA", {"init_r": 6, "target_r": 2, "deltaT": 1})
    train(attached, 10)
    config = attached.handle.active_peft_config
    assert config.total_step == 10
    kept = [sum(layer) for layer in config.rank_pattern.values()]
    assert sum(kept) == 2 * len(kept) == 2 * 4
    attached.plain.eval()
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base("llama")), attached.method, tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain, TOKENS))


def test_a_schedule_longer_than_the_training_is_refused():
    attached = attach("ADALORA", {"tinit": 8, "tfinal": 3})
    with pytest.raises(ConfigError, match="tinit and tfinal must leave steps between them, got 8 and 3 of 10"):
        attached.begin(10)


WRONG = {
    "number as text": ("LORA", {"r": "eight"}, "config, r: must be int, got 'eight'"),
    "targets as number": ("LORA", {"target_modules": 3}, "target_modules: must be list[str] or str or null, got 3"),
    "list of numbers": ("LORA", {"target_modules": [3]}, "target_modules: must be list[str] or str or null, got [3]"),
    "truth as number": ("LORA", {"use_dora": 1}, "config, use_dora: must be bool, got 1"),
    "number as truth": ("LORA", {"r": True}, "config, r: must be int, got True"),
    "unknown word": ("LORA", {"bias": "some"}, "config, bias: must be 'none' or 'all' or 'lora_only', got 'some'"),
    "unknown start": ("LORA", {"init_lora_weights": "pizza"}, "config, init_lora_weights: must be bool or "),
    "start from data": ("LORA", {"init_lora_weights": "eva"}, "init_lora_weights must not be 'eva': it starts from a"),
    "mistyped field": ("LORA", {"lora_alfa": 4}, "unknown field 'lora_alfa', did you mean 'lora_alpha'? Allowed: r, "),
    "mistyped inner field": (
        "LORA",
        {"kasa_config": {"betta": 1.0}},
        "config, kasa_config: unknown field 'betta', did",
    ),
    "inner type": ("LORA", {"kasa_config": {"beta": "x"}}, "config, kasa_config, beta: must be float, got 'x'"),
    "rank of nought": ("LORA", {"r": 0}, "config, r: must be 1 or more, got 0"),
    "block that does not fit": ("C3A", {}, "Sizes that divide all layers: 1, 2, 4, 8, 16"),
    "vector that does not fit": ("VBLORA", {}, "Sizes that divide all layers: 1, 2, 4, 8, 16"),
    "no tokens": ("PREFIX_TUNING", {}, "num_virtual_tokens must be a number of tokens, got None"),
    "steps": ("ADALORA", {"total_step": 5}, "unknown field 'total_step'"),
    "another loss": ("SHADOW", {}, "auxiliary_loss_weight must be 0, got 0.05: the answer's loss is all"),
    "a module that is none": (
        "LORA",
        {"target_modules": ["q_prj"]},
        "unknown target module 'q_prj', did you mean 'q_proj'",
    ),
    "pattern that matches none": ("LORA", {"target_modules": "zz"}, "Linear modules of the model: down_proj, "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_on_the_meta_device_in_one_line(name):
    kind, config, words = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        providers.check(row(kind, config), tiny.skeleton("llama"))
    assert words in str(caught.value)
    assert str(caught.value).startswith("method 'tuner'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_library_keeps_its_own_types(kind):
    """Each default is of the type that the check asks for, so that a row may say it."""
    types, plain = types_of(TYPES[kind]), (bool, int, float, str, type(None))
    config = TYPES[kind](task_type="CAUSAL_LM", **({"total_step": 1} if kind == "ADALORA" else {}))
    assert set(types) >= set(dataclass_fields(TYPES[kind]))
    for name in dataclass_fields(TYPES[kind]):
        value = getattr(config, name)
        if isinstance(value, plain) and name not in ("peft_type", "task_type"):
            assert fits(value, types[name]) or isinstance(value, str), name


@pytest.mark.parametrize(("family", "layers"), [("llama", 14), ("gpt2", 8), ("opt", 12), ("gpt_neox", 8)])
def test_a_quantised_base_has_four_bits_a_weight_of_its_own(family, layers):
    base, method = tiny.base(family), tiny.METHODS["zero_shot_nf4"]
    attached = providers.attach(base_model.clone(base), method, 0)
    packed = [part for part in attached.core.modules() if type(part).__name__ == "Linear4bit"]
    assert len(packed) == layers
    assert all(part.weight.dtype == torch.uint8 and part.weight.quant_state.nested for part in packed)
    assert all(2 * part.weight.numel() == part.in_features * part.out_features for part in packed)
    assert type(attached.core.get_output_embeddings()) is torch.nn.Linear
    assert attached.core.is_loaded_in_4bit
    found, expected = tiny.logits(attached.plain, TOKENS), tiny.logits(base, TOKENS)
    distance = (found - expected).norm() / expected.norm()
    assert 0.01 < distance < 1
    again = providers.attach(base_model.clone(base), method, 1)
    assert torch.equal(tiny.logits(again.plain, TOKENS), found)


def test_answers_and_losses_of_a_quantised_base_come_from_the_same_numbers():
    """The library would repack weights for a bf16 kernel in eval mode, where the processor has one."""
    attached = tiny.attach("zero_shot_nf4", "llama")
    found = []
    for mode in (True, False, True):
        attached.plain.train(mode)
        found.append(tiny.logits(attached.plain, TOKENS))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_quantised_base_computes_as_much(family):
    plain, packed = (flops.forward_tflop(tiny.attach(name, family)) for name in ("zero_shot", "zero_shot_nf4"))
    assert packed == plain > 0


def test_what_cannot_live_on_packed_weights_is_refused_early():
    method = row("LORA", {"init_lora_weights": "pissa", "target_modules": ["q_proj"]}, quantization="nf4")
    with pytest.raises(ConfigError, match="Please initialize PiSSA under float32, float16, or bfloat16"):
        providers.check(method, tiny.skeleton("llama"))


def test_one_task_is_the_first_of_a_multitask_prompt():
    method = row("MULTITASK_PROMPT_TUNING", {"num_virtual_tokens": 4, "num_tasks": 2})
    together = method.model_copy(update={"train_on": ("one", "other")})
    attached = tiny.stir(providers.attach(base_model.clone(tiny.base("llama")), together, 0))
    result = attached.plain(input_ids=TOKENS, task_ids=torch.zeros(2, dtype=torch.long)).logits
    other = attached.plain(input_ids=TOKENS, task_ids=torch.ones(2, dtype=torch.long)).logits
    assert torch.equal(attached.plain(input_ids=TOKENS).logits, result)
    assert not torch.allclose(result, other, atol=1e-2)
    assert math.isfinite(loss_of(attached).item())
