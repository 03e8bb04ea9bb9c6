"""Whether models, and what is trained on them, fit into the memory of the device that computes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from peft_pipelines.config import MethodSpec, ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.machine import all_memory
from peft_pipelines.files.quantities import size
from peft_pipelines.models import device

if TYPE_CHECKING:
    from torch import nn


class Need(NamedTuple):
    """Bytes that something takes at least: where it is asked for, what it is in words, and what would take less."""

    where: str
    what: str
    size: int
    less: str


class Memory(NamedTuple):
    """Bytes of memory that models compute in: whose they are in words, how many, and what would have more."""

    whose: str
    size: int
    more: str


def of_weights(spec: ModelSpec, model: "nn.Module") -> Need:
    """Return what the weights of a model take, which may be one without weights, in the precision of its row."""
    import torch  # noqa: PLC0415  (loaded already: there is a model)

    taken = sum(value.numel() for value in model.parameters()) * getattr(torch, spec.dtype).itemsize
    half = ", dtype: bfloat16" if spec.dtype == "float32" else ""
    return Need(f"model '{spec.name}'", f"its weights alone take, in {spec.dtype},", taken, f"a smaller model{half}")


def of_training(method: MethodSpec, weights: Need, trained: int) -> Need:
    """Return what a training takes on a base that stays in memory beside it.

    Args:
        method: the row.
        weights: what the base's weights take.
        trained: bytes of what the method trains, with gradients and the optimizer's averages.
    """
    counts = {name: value for name, value in method.config.items() if type(value) is int}
    largest = max(counts, key=lambda name: counts[name], default="")
    less = f"a smaller {largest} than {counts[largest]}, a smaller model" if largest else "a smaller model"
    where = f"method '{method.name}' on {weights.where}"
    return Need(where, "weights, gradients and the optimizer's averages take", weights.size + trained, less)


def check_fits(needs: Iterable[Need]) -> None:
    """Raise ConfigError where something takes more than the whole memory of the device that this process computes on.

    That is the largest GPU where there is one, else the machine's.
    """
    there = device_memory()
    for need in needs:
        if need.size > there.size:
            raise ConfigError(
                f"{need.where}: {need.what} {size(need.size)} at least, {there.whose} has "
                f"{size(there.size)}: take {need.less} or {there.more}"
            )


def device_memory() -> Memory:
    """Return the memory of the device that this process computes on."""
    if device.kind() != "cuda":
        return Memory("this machine", all_memory(), "a machine with more memory")
    import torch  # noqa: PLC0415  (loaded already: the kind of device is known)

    sizes = [torch.cuda.get_device_properties(place).total_memory for place in range(torch.cuda.device_count())]
    return Memory("this GPU", max(sizes), "a larger GPU")


def check_free(need: Need) -> None:
    """Raise torch.OutOfMemoryError where a GPU has no room for weights now: others may take it, and leave it again."""
    if device.kind() != "cuda":
        return
    import torch  # noqa: PLC0415  (loaded already: the kind of device is known)

    torch.cuda.empty_cache()
    free, whole = torch.cuda.mem_get_info()
    if need.size > free:
        raise torch.OutOfMemoryError(
            f"{need.where}: {need.what} {size(need.size)}, {size(free)} of this GPU's {size(whole)} are free now"
        )
