"""What attaching and loading promise beyond one device and one precision, for each method row."""

import placed
import pytest
import tiny
import torch
from safetensors.torch import load_file
from torch import nn
from transformers.pytorch_utils import Conv1D

from peft_pipelines.methods import providers
from peft_pipelines.methods.decoder import decoder_layers
from peft_pipelines.models import base_model

NEEDS_VALUES = "pissa"
"""The row that decomposes the base's weights to be attached, which a device without numbers has none of."""

CASES = [
    case if case[1] == "llama" else pytest.param(*case, marks=pytest.mark.slow)
    for case in tiny.CASES
    if tiny.METHODS[case[0]].provider != "none"
]


@pytest.mark.parametrize(("name", "family"), tiny.CASES)
def test_all_that_a_method_has_is_on_the_device_of_its_model(name, family):
    method = tiny.method_for(name, family)
    if name == NEEDS_VALUES:
        pytest.skip("it decomposes weights, and the meta device has no numbers")
    attached = providers.attach(base_model.clone(tiny.skeleton(family)), method, 0)
    assert not placed.elsewhere(attached)


def test_what_is_left_on_another_device_is_seen():
    attached = providers.attach(base_model.clone(tiny.skeleton("llama")), tiny.METHODS["lora"], 0)
    attached.core.model.norm.left = {"kept": torch.zeros(1)}
    assert placed.elsewhere(attached) == ["base_model.model.model.norm.left.kept"]


def test_no_other_gpu_of_the_machine_is_looked_at(monkeypatch):
    placed.base("llama", torch.float32, "cpu")  # is made by draws of its own
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: pytest.fail(f"asked of {device}"))
    before = torch.get_rng_state()
    placed.attach("lora", "llama", torch.float32, "cpu")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "family"), CASES)
def test_in_half_precision_what_is_loaded_answers_as_what_was_saved(name, family, tmp_path):
    attached = tiny.stir(placed.attach(name, family, torch.bfloat16, "cpu"))
    expected = placed.answers(attached)
    assert torch.equal(placed.answers(placed.reloaded(attached, family, tmp_path)), expected)


@pytest.mark.parametrize("name", ["full", "galore", "freeze"])
def test_in_half_precision_the_trained_weights_are_loaded_bit_for_bit(name, tmp_path):
    attached = tiny.stir(placed.attach(name, "llama", torch.bfloat16, "cpu"))
    trained = {path: value.detach().clone() for path, value in attached.trainable().items()}
    assert {value.dtype for value in trained.values()} == {torch.float32}
    loaded = dict(placed.reloaded(attached, "llama", tmp_path).plain.named_parameters())
    for path, value in trained.items():
        used = torch.float32 if value.ndim == 1 else torch.bfloat16  # norms are computed as they are
        assert loaded[path].dtype == used, path
        assert torch.equal(loaded[path], value.to(used)), path


def test_in_half_precision_a_row_without_rank_is_loaded_as_trained(tmp_path, monkeypatch):
    row = tiny.METHODS["pissa"]
    config = {name: value for name, value in row.config.items() if name not in ("r", "lora_alpha")}
    monkeypatch.setitem(tiny.METHODS, "pissa", row.model_copy(update={"config": config}))
    attached = tiny.stir(placed.attach("pissa", "llama", torch.bfloat16, "cpu"))
    expected = placed.answers(attached)
    assert torch.equal(placed.answers(placed.reloaded(attached, "llama", tmp_path)), expected)


def test_in_half_precision_a_small_change_of_a_norm_is_loaded(tmp_path):
    attached = placed.attach("ln_tuning", "llama", torch.bfloat16, "cpu")
    for value in attached.trainable().values():
        value.data.fill_(1.003)  # bfloat16 would have 1
    loaded = dict(placed.reloaded(attached, "llama", tmp_path).plain.named_parameters())
    assert all(torch.equal(loaded[name], value) for name, value in attached.trainable().items())


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_matrices_are_saved_in_the_precision_that_they_are_used_in(family, tmp_path):
    sizes = {}
    for dtype in (torch.float32, torch.bfloat16):
        attached = placed.attach("full", family, dtype, "cpu")
        providers.save(attached, tmp_path)
        tensors = load_file(tmp_path / "model.safetensors")
        holders: dict[int, set[type]] = {}
        for part in attached.core.modules():
            for value in part.parameters(recurse=False):
                holders.setdefault(id(value), set()).add(type(part))
        plain = {"weight": {nn.Linear, Conv1D, nn.Embedding}}
        for name, value in attached.core.named_parameters():
            narrow = holders[id(value)] <= plain.get(name.rpartition(".")[2], set())
            assert tensors[name].dtype == (dtype if narrow else torch.float32), name
        sizes[dtype] = sum(value.nbytes for value in tensors.values())
    assert family != "llama" or sizes[torch.bfloat16] < 0.51 * sizes[torch.float32]


def test_what_is_trained_takes_memory_by_its_optimizer():
    numbers = sum(value.numel() for value in tiny.skeleton("llama").parameters())
    taken = {
        name: providers.check(tiny.METHODS[name], tiny.skeleton("llama")) for name in ("zero_shot", "full", "galore")
    }
    assert taken == {"zero_shot": 0, "full": 16 * numbers, "galore": 8 * numbers}
    assert 0 < providers.check(tiny.METHODS["lora"], tiny.skeleton("llama")) < taken["galore"]


@pytest.mark.parametrize(("name", "family"), CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_layers_compute_in_the_precision_of_the_model_row(name, family, dtype, tmp_path):
    attached = placed.attach(name, family, dtype, "cpu")
    for one in (attached, placed.reloaded(attached, family, tmp_path)):
        assert one.precision == dtype
        parts = [*decoder_layers(one.core), one.core.get_output_embeddings()]
        assert dtypes_of(one, parts) == [dtype] * 3


def dtypes_of(attached, parts):
    """The precision of what some modules give, as a method is asked."""
    seen = []
    for part in parts:
        part.register_forward_hook(lambda _, given, found: seen.append(tensor_of(found).dtype))
    placed.answers(attached)
    return seen


def tensor_of(found):
    return found[0] if isinstance(found, tuple) else found
