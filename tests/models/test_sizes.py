"""Sizes of forwards, on a CPU and on GPUs that only say what is free."""

import pytest
import tiny
import torch

from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import sizes
from peft_pipelines.models.memory import cached_per_token, kept_per_token
from peft_pipelines.models.sizes import free_on_gpu, sized

GB = 10**9
OPEN = tiny.training_args(tokens_per_forward=None, generation_batch_size=None)


def chosen(attached: Attached, length: int = 100, **values: object) -> tuple[int | None, int | None]:
    found = sized(OPEN.model_copy(update=values), attached, length)
    return found.tokens_per_forward, found.generation_batch_size


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A GPU with memory that a test may change, on which models seem to lie."""
    told = {"free": 10**6, "total": 80 * GB, "allocated": 0, "reserved": 0}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (told["free"], told["total"]))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: told["allocated"])
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: told["reserved"])
    return told


@pytest.fixture
def attached(monkeypatch: pytest.MonkeyPatch) -> Attached:
    found = tiny.attach("lora", "llama")
    monkeypatch.setattr(type(found.core), "device", torch.device("cuda"))
    return found


def test_on_a_cpu_sizes_are_fixed() -> None:
    assert chosen(tiny.attach("lora", "llama")) == (2048, 32)


def test_what_the_arguments_set_stands(on_gpu: dict[str, int], attached: Attached) -> None:
    assert chosen(attached, tokens_per_forward=77, generation_batch_size=5) == (77, 5)
    assert chosen(attached, tokens_per_forward=77)[0] == 77
    assert chosen(attached, generation_batch_size=5)[1] == 5


def test_each_is_the_largest_power_of_two_in_half_of_the_room(on_gpu: dict[str, int], attached: Attached) -> None:
    config = attached.core.config.to_dict()
    kept, cached, trained = kept_per_token(config), cached_per_token(config), attached.trainable_parameters()
    on_gpu["free"] = 2 * 4 * kept * 1024 + 12 * trained
    assert chosen(attached)[0] == 1024
    on_gpu["free"] -= 1
    assert chosen(attached)[0] == 512
    on_gpu["free"] = 2 * 4 * cached * 100 * 64
    assert chosen(attached)[1] == 64
    assert chosen(attached, length=101)[1] == 32


def test_sizes_have_limits(on_gpu: dict[str, int], attached: Attached) -> None:
    on_gpu["free"] = 0
    assert chosen(attached) == (256, 1)
    on_gpu["free"] = 80 * GB
    assert chosen(attached) == (2**17, 512)


def test_half_precision_doubles_and_checkpointing_multiplies(on_gpu: dict[str, int], attached: Attached) -> None:
    on_gpu["free"] = 100_000_000
    plain, answers = chosen(attached, length=10_000)
    attached.precision = torch.bfloat16
    assert chosen(attached, length=10_000) == (2 * plain, 2 * answers)
    assert chosen(attached, gradient_checkpointing=True)[0] > 2 * plain


def test_a_shared_gpu_gives_each_process_its_part(
    on_gpu: dict[str, int], attached: Attached, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu.update(free=70 * GB, allocated=5 * GB, reserved=8 * GB)
    assert free_on_gpu(attached.core) == 73 * GB
    monkeypatch.setenv(sizes.SHARE, "4")
    assert free_on_gpu(attached.core) == 15 * GB
    on_gpu["free"] = 1 * GB
    assert free_on_gpu(attached.core) == 4 * GB
    on_gpu.update(allocated=30 * GB, reserved=30 * GB)
    assert free_on_gpu(attached.core) == 0
