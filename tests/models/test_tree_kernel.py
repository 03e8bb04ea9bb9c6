"""One place says which attention trees run by: by the device, its capability, the model, and a trial."""

import pytest
import tiny
import torch
from torch.nn.attention import flex_attention as library

from peft_pipelines.models import tree_flex, tree_kernel
from peft_pipelines.models.determinism import same_bits
from peft_pipelines.models.tree_kernel import FLEX, MASK, PATHS, ROWS, attention_name, failure, flex_refused

pytestmark = pytest.mark.filterwarnings("ignore:.*called without torch.compile:UserWarning")

CPU = torch.device("cpu")


def refused(core) -> str | None:
    return flex_refused(core, torch.bfloat16)


@pytest.fixture
def gpu(monkeypatch):
    """A model says that it is on a GPU of this capability, whose trial finds nothing."""

    def put(family: str, capability: tuple[int, int] = (9, 0)):
        core = tiny.fresh(family)
        monkeypatch.setattr(type(core), "device", torch.device("cuda"))
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(tree_kernel, "failure", lambda *asked, **mode: tried.append((*asked, *mode.values())))
        core.config.head_dim = 64
        return core

    tried = put.tried = []
    return put


def test_on_a_cpu_it_is_refused_by_name():
    assert refused(tiny.fresh("llama")) == "its kernels are for CUDA, the device is cpu"


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral", "opt", "gpt_neox"])
def test_a_gpu_with_the_kernels_is_tried_with_the_heads_of_the_model(gpu, family):
    core = gpu(family)
    assert refused(core) is None
    shared = 2 if hasattr(core.config, "num_key_value_heads") else 4
    assert gpu.tried == [(torch.device("cuda"), torch.bfloat16, 4, shared, 64, False)]
    with same_bits(True):
        assert refused(core) is None
    assert gpu.tried[1:] == [(torch.device("cuda"), torch.bfloat16, 4, shared, 64, True)]


def test_what_has_no_kernel_is_refused_by_its_reason(gpu):
    assert refused(gpu("llama", (7, 5))) == "the GPU's compute capability must be 8.0 or more, got 7.5"
    assert refused(gpu("mistral_window")) == refused(gpu("gemma3")) == "a layer has a sliding window"
    core = gpu("llama")
    core.config.head_dim = 256
    assert refused(core) == "a head must have 16 to 128 numbers, got 256"
    core.config._attn_implementation = "eager"
    assert refused(core) == "the library has no FlexAttention for models of this type"
    assert gpu.tried == []


def test_a_trial_runs_in_the_mode_that_it_is_for(monkeypatch):
    def attention(mask):
        if torch.are_deterministic_algorithms_enabled():
            raise RuntimeError("it has no deterministic kernel\nsays the library")
        raise torch.OutOfMemoryError

    monkeypatch.setattr(tree_flex, "attention", attention)
    failure.cache_clear()
    expected = "it fails on this device: RuntimeError: it has no deterministic kernel"
    assert failure(CPU, torch.float32, 4, 2, 16, deterministic=True) == expected
    with pytest.raises(torch.OutOfMemoryError):
        failure(CPU, torch.float32, 4, 2, 16, deterministic=False)
    assert not torch.are_deterministic_algorithms_enabled()
    failure.cache_clear()


def test_a_trial_that_fails_says_how():
    failure.cache_clear()
    expected = "it fails on this device: NotImplementedError: FlexAttention does not support backward on CPU."
    assert failure(CPU, torch.float32, 4, 2, 16).startswith(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_trial_finds_sound_and_unsound_numbers(dtype, monkeypatch):
    monkeypatch.setattr(library, "_validate_device", lambda *sides: None)
    failure.cache_clear()
    with torch.no_grad():
        assert failure(CPU, dtype, 9, 3, 16) is None
    monkeypatch.setattr(tree_flex, "intervals", lambda parents: (list(range(400)), [400] * 400))
    monkeypatch.setattr(tree_kernel, "_dense", lambda *asked: right)
    right = torch.ones(400, 430, dtype=torch.bool).tril(20)
    failure.cache_clear()
    assert failure(CPU, dtype, 9, 3, 16).startswith("its numbers on this device are off by ")
    failure.cache_clear()


def test_the_attention_on_record_is_the_one_that_runs():
    core = tiny.fresh("llama")
    assert attention_name(core, packed=True, flex=True) == FLEX
    assert attention_name(core, packed=True, flex=False) == PATHS
    assert attention_name(core, packed=False, flex=False) == ROWS
    core.config._attn_implementation = "eager"
    assert attention_name(core, packed=True, flex=False) == MASK
