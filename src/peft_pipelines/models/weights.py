"""The weights of a model folder: their files, names, shapes and kinds, compared with the model before they are read."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.fields import read_object, words
from peft_pipelines.models.folder import CONFIG, INDEX, SHARDS, WEIGHTS
from peft_pipelines.models.model_config import check_causal

FLOATS = ("F64", "F32", "F16", "BF16")
WHOLE = ("I64", "I32", "I16", "I8", "U8", "BOOL")
"""The kinds of tensors that are read: of a model's parameters the floats only, others are old models' buffers."""

NAMED = 3
"""The number of tensors that an error names."""


class Header(NamedTuple):
    """What a safetensors file says of one tensor before its numbers."""

    kind: str
    shape: tuple[int, ...]
    file: Path


def headers_of(files: Mapping[str, Path], where: str) -> dict[str, Header]:
    """Return the header of each tensor of a folder's weights, by the tensor's name.

    Raises:
        ConfigError: there are no weights, a file is damaged, or the index and the files do not belong together.
    """
    weights = {name: path for name, path in files.items() if Path(name).match(SHARDS)}
    if INDEX not in files and WEIGHTS not in files:
        raise ConfigError(f"{where}: no weights: neither {WEIGHTS} nor {INDEX}; only {SHARDS} are read")
    if INDEX not in files:
        _check_files(weights, {WEIGHTS}, where)
        return read_header(weights[WEIGHTS], f"{where}, {WEIGHTS}")
    return _sharded(files[INDEX], weights, where)


def _sharded(index: Path, weights: Mapping[str, Path], where: str) -> dict[str, Header]:
    listed = read_object(index, where).get("weight_map")
    where_index = f"{where}, {INDEX}"
    if not isinstance(listed, dict) or not listed or not all(isinstance(name, str) for name in listed.values()):
        raise ConfigError(f"{where_index}: weight_map must give the file of each tensor, got {listed!r:.80}")
    for tensor, name in listed.items():
        if Path(name).name != name or not Path(name).match(SHARDS):
            raise ConfigError(f"{where_index}: tensor '{tensor}' must be in a {SHARDS} of the folder, got '{name}'")
    _check_files(weights, set(listed.values()), where)
    found: dict[str, Header] = {}
    for name in sorted(set(listed.values())):
        part = read_header(weights[name], f"{where}, {name}")
        wrong = part.keys() ^ {tensor for tensor, file in listed.items() if file == name}
        if wrong:
            raise ConfigError(f"{where_index}: it and {name} must hold the same tensors, they differ in {named(wrong)}")
        found |= part
    return found


def _check_files(weights: Mapping[str, Path], expected: set[str], where: str) -> None:
    if absent := expected - weights.keys():
        raise ConfigError(f"{where}: the weights {named(absent)} are not there, {INDEX} names them")
    if beside := weights.keys() - expected:
        raise ConfigError(
            f"{where}: {named(beside)} would not be read: the weights are {named(expected)}; remove what is not theirs"
        )


def read_header(path: Path, where: str) -> dict[str, Header]:
    """Return the header of each tensor in a safetensors file. The library checks lengths and offsets.

    Raises:
        ConfigError: the file is damaged, holds weights of another framework, or packed ones.
    """
    try:
        path.open("rb").close()  # of a file that may not be read the library says that it is not there
        with safe_open(path, "pt") as file:
            form = (file.metadata() or {}).get("format", "pt")
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
            found = {name: Header(part.get_dtype(), tuple(part.get_shape()), path) for name, part in parts.items()}
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"{where}: no sound safetensors file: {error!s:.160}") from None
    if not found:
        raise ConfigError(f"{where}: holds no tensors")
    if form != "pt":
        raise ConfigError(f"{where}: its format must be 'pt', got '{form:.40}'")
    odd = {name: header.kind for name, header in found.items() if header.kind not in FLOATS + WHOLE}
    if odd:
        name, kind = next(iter(odd.items()))
        raise ConfigError(f"{where}: tensor '{name}' must be one of {', '.join(FLOATS)}, got {kind}")
    return found


def check_weights(config: PretrainedConfig, headers: Mapping[str, Header], where: str) -> None:
    """Raise ConfigError where the tensors of the files are not exactly those of the model, without reading them.

    The library itself says which are missing, left over or of another shape: it is given empty tensors.
    """
    layers = getattr(config.get_text_config(), "num_hidden_layers", 1)
    if isinstance(layers, int) and not 0 < layers <= len(headers):
        most = f"1 to {len(headers)}, the tensors there"
        raise ConfigError(f"{where}, {CONFIG}: num_hidden_layers must be {most}, got {layers}")
    found = {name: torch.empty(header.shape, device="meta") for name, header in headers.items()}
    try:
        model, info = class_of(config).from_pretrained(
            None,
            config=deepcopy(config),
            state_dict=found,
            device_map="meta",
            attn_implementation="sdpa",
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except Exception as error:  # the library computes with the values: whatever that meets is the folder's fault
        raise ConfigError(f"{where}: config.json and the weights make no model: {words(error)}") from None
    check_loaded(model, info, where)
    _check_tied(model, headers, where)
    check_causal(config, type(model), where)
    whole = {name for name, _ in model.named_parameters() if name in headers and headers[name].kind not in FLOATS}
    if whole:
        raise ConfigError(f"{where}: weights must be one of {', '.join(FLOATS)}, got others in {named(whole)}")


def _check_tied(model: PreTrainedModel, headers: Mapping[str, Header], where: str) -> None:
    """Refuse tensors that are one in the model and hold other numbers in the files: one of them would not be used."""
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if name in headers:
            names.setdefault(id(parameter), []).append(name)
    for first, *others in names.values():
        for other in others:
            if not torch.equal(_tensor(first, headers), _tensor(other, headers)):
                raise ConfigError(
                    f"{where}: {first} and {other} must hold the same numbers, since config.json ties them; or set "
                    "tie_word_embeddings to false"
                )


def _tensor(name: str, headers: Mapping[str, Header]) -> torch.Tensor:
    with safe_open(headers[name].file, "pt") as file:
        found: torch.Tensor = file.get_tensor(name)
    return found


def class_of(config: PretrainedConfig) -> type[PreTrainedModel]:
    """Return the class of causal language models that belongs to a config."""
    found: Any = AutoModelForCausalLM._model_mapping[type(config)]
    classes: tuple[type[PreTrainedModel], ...] = found if isinstance(found, tuple) else (found,)
    return next((one for one in classes if one.__name__ in (config.architectures or ())), classes[0])


def check_loaded(model: PreTrainedModel, info: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError where the library's loading info names a tensor, with three of each kind."""
    kinds = {"missing": "missing_keys", "left over": "unexpected_keys", "of another shape": "mismatched_keys"}
    found = {what: {one if isinstance(one, str) else one[0] for one in info[key]} for what, key in kinds.items()}
    parts = [f"{len(tensors)} {what} ({named(tensors)})" for what, tensors in found.items() if tensors]
    parts += [str(error)[:120] for error in info.get("error_msgs") or ()]
    if parts:
        raise ConfigError(
            f"{where}: the tensors in its files must be those of {type(model).__name__} as config.json says, got "
            f"{'; '.join(parts)}"
        )


def check_finite(model: PreTrainedModel, where: str) -> None:
    """Raise ConfigError where a weight is no finite number: each answer would be the same, and none a word."""
    extremes = {name: torch.stack(torch.aminmax(one)) for name, one in model.named_parameters() if one.numel()}
    odd = {name for name, found in extremes.items() if not found.isfinite().all()}
    if odd:
        raise ConfigError(f"{where}: weights must be finite numbers, NaN or infinity stands in {named(odd)}")


def named(tensors: Iterable[str]) -> str:
    """Return three of some names, and how many more there are.

    >>> named(["d", "a", "c", "b"])
    'a, b, c and 1 more'
    """
    names = sorted(tensors)
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
