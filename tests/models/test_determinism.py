"""The switch of deterministic kernels, without a GPU: what it sets where, and that it is set back."""

import os

import pytest
import tiny
import torch

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
    with base.untouched(deterministic=True):
        assert not torch.are_deterministic_algorithms_enabled()
