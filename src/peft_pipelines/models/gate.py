"""The gate that model folders come in through: what is read is what stands there, and nothing else is seen.

A folder's files must be on a list (folder.py), the fields of its JSON files must be plain (fields.py, model_config.py),
and its tensors must be those of the model, name by name (weights.py). Libraries are then given a view that holds the
listed files only, so that they find no code, no adapter and no other weights, whatever they look for.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import folder as model_folder
from peft_pipelines.models import tokenizer_files
from peft_pipelines.models.fields import (
    generation_fields,
    plain_fields,
    read_object,
    words,
)
from peft_pipelines.models.folder import CONFIG, GENERATION, TEMPLATE, TOKENIZER
from peft_pipelines.models.model_config import config_of
from peft_pipelines.models.tokenizer_files import check_template, check_tokens, tokenizer_fields
from peft_pipelines.models.weights import check_weights, headers_of

MAPS = ("special_tokens_map.json", "added_tokens.json", "vocab.json")


@dataclass(frozen=True)
class ModelFolder:
    """A model folder that has passed the gate.

    Attributes:
        where: names the model and the folder, for errors.
        files: what is read, by name.
        config: the model's config, without its fields on running and drawing.
        texts: the JSON files as the libraries see them.
    """

    where: str
    files: dict[str, Path]
    config: PretrainedConfig
    texts: dict[str, str]

    @contextmanager
    def view(self) -> Iterator[Path]:
        """Yield a folder that holds what is read and nothing else."""
        with model_folder.view(self.files, self.texts) as scratch:
            yield scratch


_passed: dict[str, tuple[tuple[object, ...], ModelFolder]] = {}


def opened(spec: ModelSpec, folder: Path) -> ModelFolder:
    """Return a model folder that may be read; one that has not changed since is looked at once a process.

    Raises:
        ConfigError: a file, a field or a tensor is not allowed, or one is missing.
    """
    where = f"model '{spec.name}', folder '{folder}'"
    files = model_folder.files_of(folder, where)
    signature = tuple((name, path, *signature_of(path)) for name, path in files.items())
    if where not in _passed or _passed[where][0] != signature:
        _passed[where] = (signature, _checked(files, where))
    return _passed[where][1]


def signature_of(path: Path) -> tuple[int, int, int, int]:
    """Return a file's size, inode and times of change in ns; the last cannot be set, so they change with the file."""
    facts = path.stat()
    return facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns


def _checked(files: dict[str, Path], where: str) -> ModelFolder:
    values = read_object(files[CONFIG], where)
    config = config_of(values, where)
    texts = {CONFIG: plain_fields(values)}
    if TOKENIZER in files:
        texts[TOKENIZER] = tokenizer_fields(read_object(files[TOKENIZER], where), f"{where}, {TOKENIZER}")
    if GENERATION in files:
        drawn = read_object(files[GENERATION], where)
        texts[GENERATION] = generation_fields(drawn, f"{where}, {GENERATION}")
    for name in files.keys() & set(MAPS):
        read_object(files[name], where)
    if TEMPLATE in files:
        check_template(files[TEMPLATE], where)
    check_weights(config, headers_of(files, where), where)
    return ModelFolder(where, files, config, {name: json.dumps(found) for name, found in texts.items()})


_tokenizers: dict[str, tuple[ModelFolder, PreTrainedTokenizerBase]] = {}


def tokenizer(spec: ModelSpec, folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer in a model folder; it bears no path of this machine, and pads with eos_token if with none.

    The last one is kept: data and cells of one model share it, as long as row and folder have not changed.

    Raises:
        ConfigError: the folder does not pass, or holds no fast tokenizer that the row fits.
    """
    source, row = opened(spec, folder), spec.model_dump_json()
    if row not in _tokenizers or _tokenizers[row][0] is not source:
        _tokenizers.clear()
        with source.view() as scratch:
            _tokenizers[row] = source, _read_tokenizer(source, scratch, spec)
    return _tokenizers[row][1]


def _read_tokenizer(source: ModelFolder, scratch: Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    try:
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            scratch, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # the libraries compute with the values: whatever that meets is the folder's fault
        raise ConfigError(tokenizer_files.reason(error, source.files, source.where, scratch)) from None
    if not found.is_fast:
        raise ConfigError(f"{source.where}: its tokenizer must be a fast one (tokenizer.json), got a slow one")
    if found.eos_token_id is None and found.pad_token_id is None:
        raise ConfigError(f"{source.where}: its tokenizer must have an eos_token or a pad_token, it has neither")
    check_tokens(found, source.files, source.where)
    _check_template(found, source, spec)
    found.name_or_path = spec.name
    if found.pad_token is None:
        found.pad_token = found.eos_token  # any token will do: masks and labels leave padding out
    return found


def _check_template(found: PreTrainedTokenizerBase, source: ModelFolder, spec: ModelSpec) -> None:
    if not spec.chat_template:
        return
    if not found.chat_template:
        raise ConfigError(f"{source.where}: chat_template must be false, got true: its tokenizer has none")
    try:
        text = found.get_chat_template()
    except ValueError as error:
        raise ConfigError(f"{source.where}: {words(error)}") from None
    if not isinstance(text, str):
        raise ConfigError(f"{source.where}: its chat template must be a text, got {type(text).__name__}")
