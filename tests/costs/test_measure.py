"""Costs of a block on a GPU, as its library tells them."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from peft_pipelines.costs import energy, measure


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A GPU that holds 5 GB before a block and 7 GB in it; the calls that wait for it."""
    waits: list[str] = []
    told = {
        "is_available": True,
        "current_device": 1,
        "memory_allocated": 5_000_000_000,
        "max_memory_allocated": 7_000_000_000,
        "reset_peak_memory_stats": None,
    }
    for name, value in told.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append("wait"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid=f"uuid-{device}"))
    yield waits


def test_memory_on_a_gpu_is_that_above_the_loaded_base(gpu: list[str]) -> None:
    with measure.cost() as spent:
        pass
    assert spent["peak_memory_gb"] == 2.0
    assert spent["memory_kind"] == "cuda allocated above the loaded base"


def test_seconds_on_a_gpu_are_those_of_the_work_of_the_block(gpu: list[str]) -> None:
    with measure.cost():
        assert gpu == ["wait"]
    assert gpu == ["wait", "wait"]


def test_energy_is_that_of_the_gpu_that_computes(gpu: list[str]) -> None:
    assert energy._own_gpu() == {"gpu_ids": ["GPU-uuid-1"]}


def test_without_a_gpu_none_is_named() -> None:
    assert torch.cuda.is_available() or energy._own_gpu() == {}
