"""What does not fit into the memory of the device is refused in a line; a GPU without room now is asked again."""

from types import SimpleNamespace

import pytest
import tiny
import torch

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.machine import all_memory
from peft_pipelines.models import enough_memory
from peft_pipelines.models.enough_memory import (
    Memory,
    Need,
    check_fits,
    check_free,
    device_memory,
    of_training,
    of_weights,
)

GB = 10**9
BIG = Need("model 'big'", "its weights alone take, in bfloat16,", 140 * GB, "a smaller model")


def row(dtype: str) -> ModelSpec:
    return ModelSpec(name="tiny", folder="-", dtype=dtype, chat_template=False, licence="-", citation="-")


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs of 80 and of 24 GB; a test may say how much of the first is free."""
    found = {"free": 80 * GB}
    sizes = [SimpleNamespace(total_memory=size * GB) for size in (24, 80)]
    monkeypatch.setattr(enough_memory.device, "kind", lambda: "cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(sizes))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda place: sizes[place])
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (found["free"], 80 * GB))
    return found


@pytest.mark.parametrize(("dtype", "bytes_each"), [("float32", 4), ("bfloat16", 2)])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_weights_take_the_bytes_of_their_rows_precision(family, dtype, bytes_each):
    numbers = sum(value.numel() for value in tiny.base(family).parameters())
    need = of_weights(row(dtype), tiny.skeleton(family))
    assert need.size == bytes_each * numbers
    assert need.less == ("a smaller model, dtype: bfloat16" if dtype == "float32" else "a smaller model")


@pytest.mark.usefixtures("gpus")
def test_a_model_that_no_gpu_holds_is_refused_in_a_line():
    with pytest.raises(ConfigError) as caught:
        check_fits([BIG._replace(size=80 * GB), BIG])
    assert str(caught.value) == (
        "model 'big': its weights alone take, in bfloat16, 140.0 GB at least, this GPU has 80.0 GB: "
        "take a smaller model or a larger GPU"
    )


@pytest.mark.usefixtures("gpus")
def test_a_training_is_refused_with_the_number_to_make_smaller():
    weights = BIG._replace(size=70 * GB)
    lora = tiny.METHODS["lora"].model_copy(update={"config": {"r": 4096, "lora_alpha": 8, "target_modules": ["x"]}})
    check_fits([of_training(lora, weights, 10 * GB)])
    with pytest.raises(ConfigError) as caught:
        check_fits([of_training(lora, weights, 11 * GB)])
    assert str(caught.value) == (
        "method 'lora' on model 'big': weights, gradients and the optimizer's averages take 81.0 GB at least, "
        "this GPU has 80.0 GB: take a smaller r than 4096, a smaller model or a larger GPU"
    )


def test_without_a_gpu_it_is_the_machine_that_counts():
    assert device_memory() == Memory("this machine", all_memory(), "a machine with more memory")
    with pytest.raises(ConfigError, match=r"this machine has .* GB: take a smaller model or a machine with more mem"):
        check_fits([BIG._replace(size=10**18)])
    check_free(BIG._replace(size=10**18))


def test_a_gpu_without_room_now_may_have_it_later(gpus):
    check_free(BIG._replace(size=70 * GB))
    gpus["free"] = 60 * GB
    with pytest.raises(torch.OutOfMemoryError, match=r"70\.0 GB, 60\.0 GB of this GPU's 80\.0 GB are free now"):
        check_free(BIG._replace(size=70 * GB))
    gpus["free"] = 71 * GB
    check_free(BIG._replace(size=70 * GB))
