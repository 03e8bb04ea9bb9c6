"""Which GPU each worker gets, on machines that a test makes up."""

import pytest
import torch

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import device
from peft_pipelines.running import gpus
from peft_pipelines.running.gpus import shared_out, visible


@pytest.mark.parametrize(
    ("count", "workers", "per_gpu", "shared"),
    [
        (0, None, None, ""),
        (0, 4, None, ""),
        (1, None, None, "0"),
        (1, 4, None, "0000"),
        (1, None, 3, "000"),
        (3, None, None, "012"),
        (3, 2, None, "01"),
        (3, 5, 2, "01201"),
        (3, None, 2, "012012"),
    ],
)
def test_each_gpu_gets_its_second_worker_last(
    count: int, workers: int | None, per_gpu: int | None, shared: str
) -> None:
    assert shared_out([str(number) for number in range(count)], workers, per_gpu) == list(shared)


def test_more_workers_than_the_gpus_take_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^--workers: must be at most 4, 2 for each of 2 GPUs, got 5$"):
        shared_out(["0", "1"], 5, 2)


def test_a_share_of_no_gpu_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^--per-gpu: must be left out where no GPU is visible, got 2$"):
        shared_out([], None, 2)


@pytest.mark.parametrize(
    ("named", "count", "found"),
    [
        (None, 2, ["0", "1"]),
        ("3, GPU-8a", 2, ["3", "GPU-8a"]),
        ("0,1", 1, ["0"]),
        ("MIG-1a, MIG-2b,MIG-GPU-3/1/0", 1, ["MIG-1a", "MIG-2b", "MIG-GPU-3/1/0"]),
        ("MIG-1a,0", 1, ["MIG-1a"]),
        ("0,MIG-1a", 1, ["0"]),
        ("", 0, []),
    ],
)
def test_gpus_have_the_names_that_this_process_sees_them_by(
    named: str | None, count: int, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "kind", lambda: "cuda" if count else "cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    if named is not None:
        monkeypatch.setenv(gpus.VISIBLE, named)
    assert visible() == found
