"""What each provider promises, for each method row of the configuration on each family of models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import base_rows
import pytest
import tiny
import torch
from resumed import resumes
from safetensors.torch import load_file
from small_trainings import mean_loss
from transformers import PreTrainedModel

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.shortcuts import Shortcuts

WORDS = tiny.WORDS
LAYER = 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48 + 2 * 32
"""Numbers of one of the tiny Llama's layers: four projections of attention, three behind it, two norms."""

REFUSED = {("oft", "gpt2"): "Target module Conv1D(nf=96, nx=32) is not supported"}
"""The rows of ours that a family does not take, with words of the reason."""

COUNTS = {
    ("lora", "llama"): 2 * 8 * ((32 + 32) + (32 + 16)),  # layers x rank x (in + out) of q_proj and v_proj
    ("lora", "gpt2"): 2 * 8 * (32 + 96),
    ("dora", "llama"): 2 * 8 * ((32 + 32) + (32 + 16)) + 2 * (32 + 16),  # and a magnitude for each output
    ("pissa", "llama"): 2 * 8 * ((32 + 32) + (32 + 16)),
    ("oft", "llama"): 2 * 2 * (32 * 31 // 2),  # a skew-symmetric block of 32 for each of two projections a layer
    ("qlora", "llama"): 2 * 8 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 48)),  # all seven projections
    ("qlora", "gpt2"): 2 * 8 * ((32 + 96) + (32 + 32) + (32 + 128) + (128 + 32)),
    ("ln_tuning", "llama"): (2 * 2 + 1) * 32,
    ("ln_tuning", "gemma3"): 2 * (4 * 32 + 2 * 16) + 32,  # four norms a layer and two of each head's; the last norm
    ("ln_tuning", "gpt2"): (2 * 2 + 1) * 2 * 32,  # gains and biases
    ("ln_tuning", "opt"): (2 * 2 + 1) * 2 * 32,
    ("ln_tuning", "gpt_neox"): (2 * 2 + 1) * 2 * 32,
    ("prompt_tuning", "llama"): 100 * 32,
    ("p_tuning", "llama"): 20 * 32 + (32 * 128 + 128) + (128 * 128 + 128) + (128 * 32 + 32),  # embeddings, three layers
    ("p_tuning_v2", "llama"): 20 * 16 + (16 * 128 + 128) + (128 * 64 + 64),  # embeddings, two layers
    ("mpt", "llama"): 100 * 32 + 100 + 32,  # the shared prompt, and a column times a row of the task's
    ("ia3", "llama"): 2 * (16 + 16 + 48),  # outputs of k_proj and v_proj, inputs of down_proj
    ("prefix_tuning", "llama"): 20 * 2 * 2 * 16,  # virtual tokens x layers x (key, value) x key-value width
    ("bitfit", "llama"): 2 * (32 + 16 + 16 + 32 + 48 + 48 + 32),
    ("bitfit", "gpt2"): 2 * (96 + 32 + 128 + 32 + 2 * 32) + 32,  # four Conv1D, two norms a layer; the last norm
    ("svft", "llama"): 2 * ((3 * 32 - 2) + 2 * (3 * 16 - 2)),  # three diagonals for q, k and v; k and v have rank 16
    ("svft", "gpt2"): 2 * (3 * 32 - 2),
    ("bottleneck", "llama"): 2 * 2 * (2 * 32 * 2 + 2 + 32),  # two bottlenecks a layer
    ("parallel_adapter", "llama"): 2 * (2 * 32 * 16 + 16 + 32),  # half the width
    ("sequential_bottleneck", "llama"): 2 * (2 * 32 * 2 + 2 + 32),  # 32 -> 2 -> 32 with biases
    ("lora_plus", "llama"): 2 * 8 * ((32 + 32) + (32 + 16)),
    ("full", "llama"): 2 * WORDS * 32 + 2 * LAYER + 32,  # embeddings and head, both layers, the last norm
    ("galore", "llama"): 2 * WORDS * 32 + 2 * LAYER + 32,
    ("full", "gpt2"): (WORDS + 512) * 32 + 2 * (4 * 32 + 32 * 96 + 96 + 32 * 32 + 32 + 2 * 32 * 128 + 128 + 32) + 64,
    ("freeze", "llama"): 2 * LAYER,
    ("zero_shot", "llama"): 0,
    ("zero_shot_nf4", "llama"): 0,
}
RANDOM_STARTS = {"lora", "dora", "qlora", "prompt_tuning", "p_tuning", "p_tuning_v2", "mpt", "sequential_bottleneck"}
"""Rows of ours with a start that the seed draws."""

TOKENS = tiny.ids(12, rows=2)
NEOX_HEAD = "embed_out" if hasattr(tiny.skeleton("gpt_neox"), "embed_out") else "lm_head"  # transformers 4 and 5
per_case = pytest.mark.parametrize(("name", "family"), tiny.CASES)
TRAINABLE = [case for case in tiny.CASES if tiny.METHODS[case[0]].provider != "none"]
trainable_case = pytest.mark.parametrize(("name", "family"), TRAINABLE)
two_families = pytest.mark.parametrize(
    ("name", "family"),
    [case if case[1] in ("llama", "gpt2") else pytest.param(*case, marks=pytest.mark.slow) for case in TRAINABLE],
)
"""For what depends on the method alone: linear layers and Conv1D, rotary and learned positions; the rest are slow."""


def trains_the_base(name: str) -> bool:
    """Whether what a row trains are weights of the base itself, in a copy."""
    return tiny.METHODS[name].provider == "weights"


def stored(name: str, family: str) -> PreTrainedModel:
    """The base as the row stores it."""
    untuned = tiny.METHODS["zero_shot"].model_copy(update={"quantization": tiny.METHODS[name].quantization})
    return providers.attach(base_model.clone(tiny.base(family)), untuned, 0).core


def rows() -> list[Encoded]:
    texts = tiny.ids(14, rows=4).tolist()
    return [Encoded([9, 9, 9, *text[: 8 + number]], text[10:], False) for number, text in enumerate(texts)]


def train(attached: providers.Attached, steps: int, rate: float = 0.01) -> list[float]:
    model = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args()), prefix=[9, 9, 9])
    optimizer = torch.optim.AdamW(attached.trainable().values(), lr=rate)
    attached.plain.train()
    losses = []
    for _ in range(steps):
        loss = mean_loss(model, collate(rows(), pad=257))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.fixture(autouse=True)
def _base_is_never_touched(request):
    family = request.node.callspec.params.get("family", "llama") if hasattr(request.node, "callspec") else "llama"
    base = tiny.base(family)
    before = base_model.checksum(base), tiny.logits(base, TOKENS), list(tiny.traits(base))
    yield
    assert base_model.checksum(base) == before[0]
    assert torch.equal(tiny.logits(base, TOKENS), before[1])
    assert list(tiny.traits(base)) == before[2]


@per_case
def test_check_accepts_the_row_on_the_meta_device_or_says_why_not(name, family):
    reason = tiny.refusal(name, family)
    if reason:
        method = tiny.METHODS[name]
        assert "\n" not in reason
        assert f"method '{name}'" in reason or f"methods/{method.type}' on model type" in reason
        assert any(f"model type '{kind}'" in reason for kind in (family, tiny.CONFIGS[family]().model_type))
        pytest.skip(reason)


@pytest.mark.parametrize("name", tiny.METHODS)
def test_every_row_is_taken_by_a_family(name):
    reasons = [tiny.refusal(name, family) for family in tiny.FAMILIES]
    assert None in reasons, reasons


def test_the_rows_of_ours_are_refused_where_their_library_says_so():
    ours = sorted({name for name, _ in COUNTS} & tiny.METHODS.keys())
    reasons = {(name, family): tiny.refusal(name, family) for name in ours for family in tiny.FAMILIES}
    found = {case: reason for case, reason in reasons.items() if reason}
    assert found.keys() == REFUSED.keys()
    assert all(words in found[case] for case, words in REFUSED.items())


@pytest.mark.parametrize(
    ("family", "hint", "linear"),
    [
        ("gpt2", ", did you mean 'c_proj'?", "c_attn, c_fc, c_proj, lm_head"),
        ("gpt_neox", ".", f"dense, dense_4h_to_h, dense_h_to_4h, {NEOX_HEAD}, query_key_value"),
    ],
)
def test_check_names_the_linear_modules_where_a_target_is_none(family, hint, linear):
    with pytest.raises(ConfigError) as caught:
        providers.check(tiny.METHODS["lora"], tiny.skeleton(family))
    expected = f"method 'lora' on model type '{family}': unknown target module 'q_proj'{hint} Allowed: {linear}"
    assert str(caught.value) == expected


@per_case
def test_starts_at_the_base_unless_a_prompt_or_its_row_says_otherwise(name, family):
    attached = tiny.attach(name, family)
    found, expected = tiny.logits(attached.plain, TOKENS), tiny.logits(stored(name, family), TOKENS)
    same = torch.allclose(found, expected, atol=1e-4 if attached.initial else 1e-5)
    expects = attached.method.starts_at_base and attached.start is None
    assert same == expects, f"starts_at_base of the row must be {str(same).lower()}"


def test_bitfit_starts_from_a_pretrained_bias():
    attached = tiny.attach("bitfit", "qwen2")
    pretrained = dict(tiny.base("qwen2").named_parameters())
    biases = [name for name in pretrained if name.endswith("_proj.bias")]
    assert len(biases) == 2 * 3
    for name in biases:
        assert torch.equal(attached.core.get_parameter(name), pretrained[name])
        assert attached.core.get_parameter(name).requires_grad


@pytest.mark.parametrize(("name", "family"), sorted(COUNTS))
def test_trains_as_many_numbers_as_its_paper_says(name, family):
    assert tiny.attach(name, family).trainable_parameters() == COUNTS[name, family]


@per_case
def test_trains_only_its_own_in_fp32_memory_that_the_base_does_not_share(name, family):
    attached = tiny.attach(name, family)
    shared = {value.data_ptr() for value in tiny.base(family).parameters()}
    own = attached.trainable()
    assert bool(own) == (tiny.METHODS[name].provider != "none")
    for value in own.values():
        assert value.dtype == torch.float32
        assert value.data_ptr() not in shared
    bases = tuple(key for key, _ in tiny.base(family).named_parameters())
    frozen = [value for key, value in attached.plain.named_parameters() if key not in own and of_base(key, bases)]
    rewritten = attached.method.quantization or attached.initial
    assert rewritten or {value.data_ptr() for value in frozen} <= shared | {0}
    if attached.method.family != "selective" and not trains_the_base(name):
        assert len(frozen) == len(shared)
        assert not [key for key in own if key.endswith(bases)]


def of_base(key: str, bases: tuple[str, ...]) -> bool:
    """Whether a parameter of a model with a method in it is one of the base's, wherever the method keeps it."""
    return key.replace(".base_layer.", ".").replace(".original_module.", ".").endswith(bases)


@two_families
def test_a_base_in_half_precision_gets_trainables_in_single_and_trains(name, family):
    base = tiny.fresh(family, torch.bfloat16)
    before = base_model.checksum(base)
    attached = providers.attach(base_model.clone(base), tiny.method_for(name, family), 0)
    assert {value.dtype for value in attached.trainable().values()} == {torch.float32}
    losses = train(attached, 6)
    assert losses[-1] < losses[0]
    assert base_model.checksum(base) == before


@two_families
def test_the_seed_decides_the_start(name, family):
    first, again, other = (tiny.attach(name, family, seed).trainable() for seed in (0, 0, 1))
    assert first.keys() == again.keys() == other.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    if name in RANDOM_STARTS:
        assert any(not torch.equal(first[key], other[key]) for key in first)


@trainable_case
def test_a_few_steps_lower_the_loss_and_change_none_of_the_base(name, family):
    attached = tiny.attach(name, family)
    before = {key: value.clone() for key, value in attached.trainable().items()}
    losses = train(attached, 12)
    assert losses[-1] < losses[0] - 0.1
    unmoved = [key for key, value in attached.trainable().items() if torch.equal(value, before[key])]
    assert not unmoved


@per_case
def test_saved_and_loaded_it_gives_equal_logits_and_is_frozen(name, family, tmp_path):
    attached = tiny.stir(tiny.attach(name, family))
    attached.plain.eval()
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base(family)), tiny.method_for(name, family), tmp_path)
    found, expected = tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain, TOKENS)
    assert torch.equal(found, expected) or (attached.initial and torch.allclose(found, expected, atol=1e-3))
    assert not loaded.trainable()
    assert not loaded.plain.training


@two_families
def test_the_folder_holds_its_own_tensors_and_nothing_of_this_machine(name, family, tmp_path):
    attached = tiny.stir(tiny.attach(name, family))
    providers.save(attached, tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    config = {".json"} if trains_the_base(name) else set()  # some of these have none to write
    assert {path.suffix for path in files} | config == {".json", ".safetensors"}
    tensors = {key: value for path in files if path.suffix == ".safetensors" for key, value in load_file(path).items()}
    saved = sum(value.numel() for value in tensors.values())
    loaded = providers.load(base_model.clone(tiny.base(family)), attached.method, tmp_path, trainable=True)
    assert 0 <= saved - loaded.trainable_parameters() <= own_frozen_numbers(loaded, family)
    if not attached.start:  # an encoder of soft prompts ends with the training
        assert loaded.trainable_parameters() == attached.trainable_parameters() * (2 if attached.initial else 1)
    assert trains_the_base(name) or not [key for key in tensors if "lm_head" in key or "embed_tokens" in key]
    for value in tiny.base(family).parameters():
        assert not any(value.shape == own.shape and torch.equal(value, own) for own in tensors.values())
    for path in files:
        content = path.read_bytes()
        for secret in (str(tmp_path), str(base_rows.PROJECT), str(Path.home())):
            assert secret.encode() not in content
        if path.suffix == ".json":
            json.loads(content)


def own_frozen_numbers(attached: providers.Attached, family: str) -> int:
    """How many numbers the method made and keeps frozen, such as a random projection."""
    bases = tuple(tiny.base(family).state_dict())
    own = attached.trainable()
    return sum(
        value.numel()
        for key, value in [*attached.plain.named_parameters(), *attached.plain.named_buffers()]
        if key not in own and not of_base(key, bases)
    )


@two_families
def test_training_goes_on_from_a_checkpoint(name, family, tmp_path):
    attached = tiny.attach(name, family)
    train(attached, 2)
    providers.save(attached, tmp_path)
    loaded = providers.load(
        base_model.clone(tiny.base(family)), tiny.method_for(name, family), tmp_path, trainable=True
    )
    saved = {key: value.clone() for key, value in loaded.trainable().items()}
    assert {value.dtype for value in saved.values()} == {torch.float32}
    if attached.start and saved.keys() != attached.trainable().keys():  # what its encoder gave is what is left of it
        assert [key.removeprefix("prompt_encoder.default.") for key in saved] == ["embedding.weight"]
    elif not attached.initial:
        assert saved.keys() == attached.trainable().keys()
        assert all(torch.equal(value, attached.trainable()[key]) for key, value in saved.items())
    train(loaded, 1)
    assert any(not torch.equal(value, saved[key]) for key, value in loaded.trainable().items())


@two_families
def test_resumed_in_the_middle_it_ends_at_the_same_bytes(name, family, tmp_path):
    resumes(tiny.method_for(name, family), family, tmp_path)


@two_families
def test_gradient_checkpointing_gives_the_same_gradients_or_is_refused(name, family):
    attached = tiny.stir(tiny.attach(name, family))
    plain = {"packed_batches": False, "shared_prefix": False, "label_positions_only": False}
    if "gradient_checkpointing" in attached.refuses:
        with pytest.raises(ConfigError, match=f"method '{name}': gradient_checkpointing must be false, got true: "):
            Shortcuts.of(attached, tiny.training_args(gradient_checkpointing=True))
        return
    expected = gradients(attached, plain)
    attached.core.gradient_checkpointing_enable({"use_reentrant": False})
    attached.core.enable_input_require_grads()
    found = gradients(attached, {**plain, "gradient_checkpointing": True})
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.allclose(found[key], value, rtol=1e-5, atol=1e-6), key


def gradients(attached: providers.Attached, training_args: dict[str, bool]) -> dict[str, torch.Tensor]:
    attached.plain.train()
    attached.plain.zero_grad()
    model = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args(**training_args)), prefix=[])
    mean_loss(model, collate(rows(), pad=257)).backward()
    return {key: value.grad.clone() for key, value in attached.trainable().items()}


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_fresh_process_reads_what_this_one_saved(family, tmp_path):
    expected = {}
    names = tiny.taken(family)
    rounded = set()
    for name in names:
        (tmp_path / name).mkdir()
        attached = tiny.stir(tiny.attach(name, family))
        attached.plain.eval()
        providers.save(attached, tmp_path / name)
        rounded |= {name} if attached.initial else set()
        expected[name] = tiny.logits(attached.plain, TOKENS)[0, -1].tolist()
    script = """
import json, sys
from pathlib import Path
import tiny
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
folder, family = Path(sys.argv[1]), sys.argv[2]
found = {}
for name in sys.argv[3:]:
    loaded = providers.load(base_model.clone(tiny.base(family)), tiny.method_for(name, family), folder / name)
    found[name] = tiny.logits(loaded.plain, tiny.ids(12, rows=2))[0, -1].tolist()
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), family, *names],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(),
    )
    found = json.loads(done.stdout.splitlines()[-1])
    for name in names:
        assert found[name] == (pytest.approx(expected[name], abs=1e-3) if name in rounded else expected[name]), name


def test_two_processes_write_the_same_bytes(tmp_path):
    """Sets have another order in each process; files must not."""
    script = """
import sys
from pathlib import Path
import tiny
from peft_pipelines.methods import providers
for name in tiny.taken("llama"):
    folder = Path(sys.argv[1]) / name
    folder.mkdir(parents=True)
    providers.save(tiny.attach(name, "llama"), folder)
"""
    for seed in ("1", "2"):
        environment = {**_environment(), "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", script, str(tmp_path / seed)], check=True, env=environment)
    files = [path.relative_to(tmp_path / "1") for path in sorted((tmp_path / "1").rglob("*.*"))]
    assert files
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes(), file


def _environment() -> dict[str, str]:
    paths = [str(base_rows.PROJECT / "tests/support"), str(base_rows.PROJECT / "src")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PEFT_DIR": str(base_rows.PROJECT / "methods")}


def test_detach_lets_go_of_the_clone():
    attached = tiny.attach("lora", "llama")
    attached.detach()
    assert not list(attached.plain.parameters())
    assert attached.handle is None
