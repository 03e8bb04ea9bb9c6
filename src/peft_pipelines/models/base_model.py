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
from peft_pipelines.models import gate
from peft_pipelines.models.folder import folder_of, public_name
from peft_pipelines.models.weights import check_finite, check_loaded


@dataclass
class Base:
    """A resident base model with its tokenizer, and the checksum of its weights at loading.

    ``measured`` keeps what is measured once a base, by a key of the measurement.
    """

    spec: ModelSpec
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    checksum: int
    measured: dict[str, float] = field(default_factory=dict)

    def verify(self) -> None:
        """Raise RuntimeError if any bit of a weight has changed since loading."""
        if checksum(self.model) != self.checksum:
            _resident.clear()  # the next cell reads it afresh
            raise RuntimeError(
                f"the weights of base model '{self.spec.name}' were changed in memory by the method of this cell"
            )

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Verify the weights at the end of a block, also when it fails."""
        try:
            yield
        finally:
            self.verify()


_resident: dict[tuple[str, Path], Base] = {}


def resident(spec: ModelSpec, weights: Path) -> Base:
    """Return the base model of a row, loaded once a process. ``weights`` is the catalog's folder of the download."""
    folder = folder_of(spec, weights)
    key = spec.model_dump_json(), folder
    if key not in _resident:
        if _resident:
            _resident.clear()
            gc.collect()
        gc.freeze()  # libraries: they stay, so collections between cells need not look through them
        _resident[key] = load(spec, folder)
    return _resident[key]


def load(spec: ModelSpec, folder: Path) -> Base:
    """Load a model folder, of which the libraries see no more than what gate.py lets through.

    Raises:
        ConfigError: the folder does not pass.
    """
    source = gate.opened(spec, folder)
    with source.view() as view:
        model, info = AutoModelForCausalLM.from_pretrained(
            view,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    check_loaded(model, info, source.where)
    check_finite(model, source.where)
    model.config._name_or_path = model.name_or_path = public_name(spec)
    model.requires_grad_(False).eval().to(device())
    return Base(spec, model, gate.tokenizer(spec, folder), checksum(model))


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
    distinct = {id(value): value for value in model.state_dict(keep_vars=True).values()}
    for value in distinct.values():
        flat = value.detach().contiguous().reshape(-1)
        total.update(flat.view(torch.uint8).cpu().numpy())
    return total.intdigest()


def device() -> torch.device:
    """Return the device to compute on: CUDA where it is available, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(model: PreTrainedModel) -> AbstractContextManager[object]:
    """Return the autocast context of a model in half precision; one that does nothing for other precisions."""
    if model.dtype not in (torch.float16, torch.bfloat16):
        return nullcontext()
    return torch.autocast(model.device.type, dtype=model.dtype)
