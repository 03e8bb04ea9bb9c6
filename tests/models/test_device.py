"""The kind of device is known without torch, and is the one that torch tells."""

import subprocess
import sys

import torch
from light import SOURCES

from peft_pipelines.models import base_model, device

ASKED = """
import sys; sys.path.insert(0, sys.argv[1])
from peft_pipelines.models import device
print(device.kind(), device._may_have_gpu(), "torch" in sys.modules)
"""


def asked() -> list[str]:
    """What a process without torch says: the kind, whether there may be a GPU, and whether it loaded torch for that."""
    done = subprocess.run([sys.executable, "-c", ASKED, str(SOURCES)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_it_is_the_kind_that_models_compute_on() -> None:
    kind, may, loaded = asked()
    assert kind == device.kind() == base_model.device().type
    assert loaded == may


def test_a_torch_without_gpus_is_not_loaded_to_ask() -> None:
    may = asked()[1]
    assert may == "True" or not torch.cuda.is_available()
    assert may == "False" or torch.version.cuda or torch.version.hip
