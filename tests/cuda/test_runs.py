"""Trainings on a GPU: the same bits each time, also resumed; what they cost; and what breaks the GPU's context."""

import subprocess
import sys

import placed
import pytest
import resumed
import tiny
import torch
from placed import on_devices
from small_trainings import saved

from peft_pipelines.costs import measure
from peft_pipelines.models import base_model
from peft_pipelines.models.determinism import same_bits
from peft_pipelines.training.train import train

METHODS = ["lora", "prefix_tuning", "sequential_bottleneck", "full", "galore", "qlora"]


@pytest.fixture
def computing(device: str) -> str:
    """The device, where the Trainer computes on it."""
    if base_model.device().type != device:
        pytest.skip("the Trainer takes the GPU that is here")
    return device


@on_devices
@pytest.mark.parametrize("name", METHODS)
def test_two_trainings_end_at_the_same_bytes(name, computing, tmp_path):
    found = []
    for number in ("one", "two"):
        model = resumed.made(tiny.METHODS[name], "llama", computing)
        with same_bits(computing == "cuda"):
            train(model, resumed.job(tmp_path / number))
        found.append(saved(model, tmp_path / f"{number} saved"))
    assert found[0] == found[1]


@on_devices
@pytest.mark.parametrize("name", METHODS)
def test_a_training_in_two_parts_ends_at_the_same_bytes(name, computing, tmp_path):
    with same_bits(computing == "cuda"):
        resumed.resumes(tiny.METHODS[name], "llama", tmp_path, computing)


@on_devices
def test_memory_is_told_above_the_loaded_base(computing):
    base = placed.base("llama", torch.float32, computing)
    with measure.cost() as spent:
        held = torch.ones(25_000_000, device=computing).sum()
    assert held == 25_000_000 and base.device.type == computing
    assert (spent["memory_kind"] == measure.CUDA) == (computing == "cuda")
    assert 0.09 < spent["peak_memory_gb"] < 0.3


BROKEN = """
import sys
import torch
from peft_pipelines.running.failures import breaks_device
device = sys.argv[1]
for index in ([5], [0]):
    try:
        found = torch.zeros(1, device=device)[torch.tensor(index, device=device)].tolist()
        print("sound")
    except (RuntimeError, IndexError) as error:
        print("broken" if breaks_device(error) else "wrong")
"""


@on_devices
def test_what_breaks_the_context_is_known_by_its_error(device):
    """An index beyond a tensor: on a GPU nothing of the process computes after it."""
    done = subprocess.run([sys.executable, "-c", BROKEN, device], capture_output=True, text=True, check=False)
    assert done.stdout.split() == (["broken", "broken"] if device == "cuda" else ["wrong", "sound"])
