"""What is counted in the profile of some steps."""

from collections import namedtuple

import meter
from torch.autograd import DeviceType

Event = namedtuple("Event", "name device_type")


def test_kernels_copies_and_waits_are_told_from_each_other() -> None:
    on_gpu = ["gemm", "gemm", "softmax", "Memcpy DtoH (Device -> Pageable)", "Memset (Device)"]
    on_cpu = ["aten::mm", "aten::mm", "cudaLaunchKernel", *["cudaStreamSynchronize"] * 4, "cudaDeviceSynchronize"]
    events = [Event(name, DeviceType.CUDA) for name in on_gpu] + [Event(name, DeviceType.CPU) for name in on_cpu]
    expected = {"kernels_a_step": 1.5, "copies_a_step": 1.0, "waits_a_step": 2.0, "operators_a_step": 1.0}
    assert meter.counted(events, 2) == expected


def test_nothing_is_counted_on_a_cpu_but_operators() -> None:
    assert meter.counted([Event("aten::mm", DeviceType.CPU)], 1)["waits_a_step"] == 0.0
