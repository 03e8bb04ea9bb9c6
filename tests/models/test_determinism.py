"""The switch of deterministic kernels, without a GPU: what it sets where, and that it is set back."""

import os
from types import SimpleNamespace

import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from peft_pipelines.config import ModelSpec
from peft_pipelines.models import base_model
from peft_pipelines.models.base_model import Base, checksum
from peft_pipelines.models.determinism import same_bits

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@pytest.fixture(autouse=True)
def _no_workspace(monkeypatch):
    monkeypatch.delenv(WORKSPACE, raising=False)


@pytest.mark.parametrize("wanted", [True, False])
def test_it_is_on_in_the_block_alone(wanted):
    with same_bits(wanted):
        assert torch.are_deterministic_algorithms_enabled() == wanted
        assert os.environ.get(WORKSPACE) == (":4096:8" if wanted else None)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_the_first_base_on_a_gpu_prepares_for_it(kind, tmp_path, monkeypatch):
    tiny.base("llama").save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    row = {"dtype": "float32", "chat_template": False, "licence": "-", "citation": "-"}
    monkeypatch.setattr(base_model, "device", lambda: torch.device(kind))
    real = AutoModelForCausalLM.from_pretrained
    on_cpu = {"device_map": None}  # there may be no such device
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", lambda view, **given: real(view, **given | on_cpu))
    monkeypatch.setattr(PreTrainedModel, "to", lambda model, device: model)
    base_model.load(ModelSpec(name="tiny", folder=str(tmp_path), **row), tmp_path)
    assert os.environ.get(WORKSPACE) == (":4096:8" if kind == "cuda" else None)


def test_it_is_off_again_after_an_error():
    with pytest.raises(KeyError), same_bits(True):
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_a_workspace_that_is_given_stays(monkeypatch):
    monkeypatch.setenv(WORKSPACE, ":16:8")
    with same_bits(True):
        assert os.environ[WORKSPACE] == ":16:8"


def test_a_cell_on_a_cpu_computes_as_ever():
    base = Base(None, tiny.base("llama"), None, checksum(tiny.base("llama")))
    for block in (base.untouched(deterministic=True), base.same_bits(True)):
        with block:
            assert not torch.are_deterministic_algorithms_enabled()


def test_a_cell_on_a_gpu_tries_its_kernels_in_its_mode():
    base = Base(None, SimpleNamespace(device=torch.device("cuda")), None, 0)
    for wanted in (True, False):
        with base.same_bits(wanted):
            assert torch.are_deterministic_algorithms_enabled() == wanted
