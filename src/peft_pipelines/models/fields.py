"""The fields of a model folder's JSON files: what may stand there, and what of it reaches the libraries."""

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.field_values import fits
from peft_pipelines.models.known_fields import known_fields

CODE = (
    "auto_map",
    "_attn_implementation_internal",
    "custom_pipelines",
    "custom_generate",
    "trust_remote_code",
    "code_revision",
)
ELSEWHERE = ("base_model_name_or_path", "configuration_files", "transformers_weights", "fast_tokenizer_files")
PACKED = ("quantization_config", "compression_config")
REASONS = {
    **dict.fromkeys(CODE, "can bring in code"),
    **dict.fromkeys(ELSEWHERE, "leads to other files"),
    **dict.fromkeys(PACKED, "says that the weights are packed; a base is read whole, and packed by a method's row"),
}
OWN = ("_name_or_path", "_sliding_window_pattern")
"""Fields with an underscore that reach the library; others are its own notes, and left out."""

ATTENTION = (None, "eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
"""The library's own attention; any other name is that of a repository whose code is run. Ours is always sdpa."""

ATTENTION_FIELDS = ("attn_implementation", "_attn_implementation")
KERNELS = ("attn_implementation", "experts_implementation")
OF_CLASSIFIERS = ("num_labels", "id2label", "label2id", "problem_type", "finetuning_task")
NOT_OURS = (
    *("gradient_checkpointing", "return_dict", "use_return_dict"),
    *("output_attentions", "output_hidden_states", "torchscript"),
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "num_beams", "num_beam_groups"),
    *("epsilon_cutoff", "eta_cutoff", "early_stopping", "diversity_penalty", "length_penalty", "penalty_alpha"),
    *("repetition_penalty", "no_repeat_ngram_size", "num_return_sequences", "max_length", "min_length"),
    *OF_CLASSIFIERS,
)
"""Fields about how a model is run and how it draws answers: this project decides that, so they are left out. So are
those of classifiers: a causal language model has no use for them."""

ENDS = ("bos_token_id", "eos_token_id", "pad_token_id", "transformers_version")


def read_object(path: Path, where: str) -> dict[str, Any]:
    """Return the object in a JSON file. Infinity may stand there: some limits of models have no end.

    Raises:
        ConfigError: it is not UTF-8, not JSON, no object, has a key twice, or holds NaN or half of a character.
    """
    where = f"{where}, {path.name}"
    try:
        value = _parsed(path.read_text(encoding="utf-8"), where)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: cannot be read as JSON: half of a character (a surrogate) stands there") from None
    except (RecursionError, OSError) as error:
        raise ConfigError(f"{where}: cannot be read as JSON: {error!s:.120}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: must be an object of fields, got {type(value).__name__}")
    return value


def _parsed(text: str, where: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise ConfigError(f"{where}: the key '{twice}' stands there twice")
        return found

    def constant(name: str) -> float:
        if name == "NaN":
            raise ConfigError(f"{where}: cannot be read as JSON: NaN stands there; a number is allowed")
        return float(name)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except ConfigError:
        raise
    except ValueError as error:  # no JSON, or a number of more digits than Python reads
        raise ConfigError(f"{where}: cannot be read as JSON: {error!s:.120}") from None


def check_redirects(values: object, where: str) -> None:
    """Raise ConfigError for a field, at any depth, that could bring in code, other files or packed weights."""
    for name, value in _fields(values):
        if name in REASONS and value is not None:
            raise ConfigError(f"{where} has the key '{name}', which {REASONS[name]}; only plain models are read")
        if name in ATTENTION_FIELDS and value not in ATTENTION:
            allowed = ", ".join(str(one) for one in ATTENTION[1:])
            raise ConfigError(f"{where}: {name} must be one of {allowed}, got {value!r:.80}")


def _fields(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)


def plain_fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of config.json that its model knows and that are its own business, for a library to read."""
    own = inspect.signature(CONFIG_MAPPING[values["model_type"]].__init__).parameters
    known = known_fields(values["model_type"]).difference(NOT_OURS) | own.keys()
    return _without_notes({name: value for name, value in values.items() if name in known})


def _without_notes(values: dict[str, Any]) -> dict[str, Any]:
    left = {name: value for name, value in values.items() if name in OWN or name[:1] != "_"}
    left = {name: value for name, value in left.items() if name not in REASONS and name not in KERNELS}
    return {name: _without_notes(value) if isinstance(value, dict) else value for name, value in left.items()}


def generation_fields(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of generation_config.json that say where a text begins and ends; no others are read.

    Raises:
        ConfigError: a field could bring in code, or is no token's id.
    """
    check_redirects(values, where)
    for name, value in values.items():
        if name.endswith("_token_id") and not fits(value, None, ids=True):
            raise ConfigError(f"{where}: {name} must be a whole number or a list of them, got {value!r:.80}")
    return {name: value for name, value in values.items() if name in ENDS}


def words(error: Exception) -> str:
    """Return an exception as one short line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
