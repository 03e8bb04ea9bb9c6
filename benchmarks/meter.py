"""Figures of training steps, taken from inside a Trainer: seconds, kernels, waits for the device, and peak memory."""

import time
from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from transformers import TrainerCallback

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
"""The calls in which the processor waits for the GPU."""
COPIES = ("Memcpy", "Memset")


class Meter(TrainerCallback):
    """Measures steps behind some that are not measured, profiles some more, and ends the training.

    Args:
        warm: steps before the first that is measured: kernels are compiled, memory is found.
        timed: steps whose time is taken, as one.
        profiled: steps behind these in which kernels and waits are counted.
    """

    def __init__(self, warm: int, timed: int, profiled: int) -> None:
        self.warm, self.timed, self.profiled = warm, timed, profiled
        self.figures: dict[str, float] = {}
        self._gpu = torch.cuda.is_available()
        self._profile = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA][: 1 + self._gpu])
        self._first = self._begun = 0.0

    @property
    def steps(self) -> int:
        """All steps until the training ends."""
        return self.warm + self.timed + self.profiled

    def on_train_begin(self, *given: Any, **named: Any) -> None:
        """Note when the first step begins."""
        self._first = self._now()

    def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> Any:
        """Begin or end what is measured behind the step that has been done."""
        if state.global_step == self.warm:
            if self._gpu:
                torch.cuda.reset_peak_memory_stats()
            self._begun = self._now()
            self.figures["warm_seconds"] = self._begun - self._first
        elif state.global_step == self.warm + self.timed:
            self.figures["seconds_a_step"] = (self._now() - self._begun) / self.timed
            self.figures["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9 if self._gpu else 0.0
            self._profile.start()
        elif state.global_step == self.steps:
            self._now()
            self._profile.stop()
            self.figures |= counted(self._profile.events(), self.profiled)
            control.should_training_stop = True
        return control

    def _now(self) -> float:
        """The time when the device has done all that it was given."""
        if self._gpu:
            torch.cuda.synchronize()
        return time.perf_counter()


def counted(events: Iterable[Any], steps: int) -> dict[str, float]:
    """Kernels, copies, waits for the device and operators a step, of a profile of so many steps.

    The one wait at the end of the profile, which the meter itself asks for, is left out.
    """
    # what is annotated by its caller, such as an optimizer's step, stands beside its kernels under the same device
    found = [event for event in events if not getattr(event, "is_user_annotation", False)]
    on_gpu = [event.name for event in found if event.device_type == DeviceType.CUDA]
    copies = sum(name.startswith(COPIES) for name in on_gpu)
    waits = sum(event.name in WAITS for event in found if event.device_type == DeviceType.CPU)
    operators = sum(event.name.startswith("aten::") for event in found if event.device_type == DeviceType.CPU)
    numbers = {"kernels": len(on_gpu) - copies, "copies": copies, "waits": max(0, waits - 1), "operators": operators}
    return {f"{name}_a_step": number / steps for name, number in numbers.items()}
