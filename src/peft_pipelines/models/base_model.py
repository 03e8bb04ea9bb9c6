"""Base models: loading from safetensors, one resident in a process, and clones that share its weights."""

import copy
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
import xxhash
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from peft_pipelines.config import ModelSpec
from peft_pipelines.models import enough_memory, gate
from peft_pipelines.models.determinism import prepare, same_bits
from peft_pipelines.models.folder import folder_of, public_name
from peft_pipelines.models.weights import check_finite, check_loaded


@dataclass
class Base:
    """A resident base model with its tokenizer, and the checksum of its weights at loading.

    ``measured`` keeps what is measured once a base, by a key of the measurement. ``in_place`` is the checksum of
    weights on a GPU, where they are compared: to leave it takes 16 GB of them seconds.
    """

    spec: ModelSpec
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    checksum: int
    measured: dict[str, float] = field(default_factory=dict)
    in_place: int | None = None

    def verify(self) -> None:
        """Raise RuntimeError if any bit of a weight has changed since loading."""
        if self.in_place is None:
            same = checksum(self.model) == self.checksum
        else:
            same = checksum_in_place(self.model) == self.in_place
        if not same:
            _resident.clear()  # the next cell reads it afresh
            raise RuntimeError(
                f"the weights of base model '{self.spec.name}' were changed in memory by the method of this cell"
            )

    def same_bits(self, wanted: bool) -> AbstractContextManager[None]:
        """Return the context that gives the same bits each time, where ``wanted``; a CPU needs none."""
        return same_bits(wanted and self.model.device.type == "cuda")

    @contextmanager
    def untouched(self, deterministic: bool = False) -> Iterator[None]:
        """Verify the weights at the end of a block, also when it fails; ``deterministic`` is for ``same_bits``."""
        with self.same_bits(deterministic):
            try:
                yield
            finally:
                self.verify()


_resident: dict[tuple[str, Path], Base] = {}


def resident(spec: ModelSpec, weights: Path) -> Base:
    """Return the base model of a row, loaded once a process. ``weights`` is the catalog's folder of the download.

    Raises:
        ConfigError: the folder does not pass, or its weights are more than the whole memory of the device.
        torch.OutOfMemoryError: the GPU has no room for them now. Nothing has been read, and the next call looks anew.
    """
    folder = folder_of(spec, weights)
    key = spec.model_dump_json(), folder.resolve()
    if key not in _resident:
        if _resident:
            _resident.clear()
            gc.collect()
        need = enough_memory.of_weights(spec, skeleton(spec, folder))
        enough_memory.check_fits([need])
        enough_memory.check_free(need)
        gc.freeze()  # libraries: they stay, so collections between cells need not look through them
        _resident[key] = load(spec, folder)
    return _resident[key]


def load(spec: ModelSpec, folder: Path) -> Base:
    """Load a model folder, of which the libraries see no more than what gate.py lets through.

    Each tensor goes from its file to the device by itself, so a GPU's weights never lie together in the host's memory.

    Raises:
        ConfigError: the folder does not pass.
    """
    source = gate.opened(spec, folder)
    if device().type == "cuda":
        prepare()
    with source.view() as view:
        model, info = AutoModelForCausalLM.from_pretrained(
            view,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
            output_loading_info=True,
            device_map={"": str(device())},
        )
    vars(model).pop("hf_device_map", None)  # a trainer takes a model with one for split over devices
    check_loaded(model, info, source.where)
    check_finite(model, source.where)
    model.config._name_or_path = model.name_or_path = public_name(spec)
    known = checksum(model)
    model.requires_grad_(False).eval().to(device())  # buffers may stand in no file
    on_cpu, tokenizer = model.device.type == "cpu", gate.tokenizer(spec, folder)
    return Base(spec, model, tokenizer, known, in_place=None if on_cpu else checksum_in_place(model))


def skeleton(spec: ModelSpec, folder: Path) -> PreTrainedModel:
    """Return the model's modules on the meta device, without weights, to check method rows against."""
    config = copy.deepcopy(gate.opened(spec, folder).config)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def clone(
    model: PreTrainedModel, tensor: Callable[[torch.Tensor], torch.Tensor] = torch.Tensor.detach
) -> PreTrainedModel:
    """Return a structural copy: its own modules, hooks, flags and config, with tensors on the original's storage.

    ``tensor`` makes the copy's tensors; the default shares memory. Ties between parameters are kept.
    """
    memo: dict[int, object] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(tensor(parameter.detach()), requires_grad=False)
    for buffer in model.buffers():
        memo[id(buffer)] = tensor(buffer)
    return copy.deepcopy(model, memo)


def checksum(model: nn.Module) -> int:
    """Return the 64-bit xxHash of the bits of all parameters and persistent buffers, each once, on any device."""
    total = xxhash.xxh3_64()
    for flat in _flat(model):
        total.update(flat.view(torch.uint8).cpu().numpy().data)
    return total.intdigest()


def checksum_in_place(model: nn.Module) -> int:
    """Return a sum modulo 2^64 over the same bits, computed on the device that holds them and equal on all devices.

    The bits of each element are a whole number, times the odd number of its place in the model: a changed bit changes
    the sum, and so do two elements that change places.
    """
    sums, first = [], 0
    for flat in _flat(model):
        for part in torch.split(flat.view(WHOLE[flat.element_size()]), AT_ONCE):
            places = torch.arange(first, first + len(part), device=part.device)
            sums.append((part.to(torch.int64) * (2 * places + 1)).sum())
            first += len(part)
    return int(torch.stack(sums).sum())


AT_ONCE = 2**24
"""Elements that are summed at once: eight bytes each are needed three times."""
WHOLE = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers by their bytes."""


def _flat(model: nn.Module) -> Iterator[torch.Tensor]:
    """All parameters and persistent buffers, each once, as one row of elements."""
    distinct = {id(value): value for value in model.state_dict(keep_vars=True).values()}
    return (value.detach().contiguous().reshape(-1) for value in distinct.values())


def device() -> torch.device:
    """Return the device to compute on: CUDA where it is available, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(model: PreTrainedModel, precision: torch.dtype) -> AbstractContextManager[object]:
    """Return the context in which a model computes in half precision; one that does nothing for other precisions."""
    if precision not in (torch.float16, torch.bfloat16):
        return nullcontext()
    return torch.autocast(model.device.type, dtype=precision)
