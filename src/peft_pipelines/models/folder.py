"""The files of a model folder: which are read, which may lie beside them, and a view that holds nothing else."""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.system import show_at

CONFIG, GENERATION, TOKENIZER = "config.json", "generation_config.json", "tokenizer_config.json"
WEIGHTS, INDEX, TEMPLATE = "model.safetensors", "model.safetensors.index.json", "chat_template.jinja"
SHARDS = "*.safetensors"
READ = (
    *(CONFIG, GENERATION, TOKENIZER, INDEX, TEMPLATE, "tokenizer.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"),
)
"""The files that are read, beside the weights."""

LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
"""The files that say under which terms the others are given."""

BESIDE = (
    *("*.md", "*.txt", "*.rst", "*.pdf", "*.png", "*.jpg", "*.jpeg", "*.gif", "*.svg", "*.webp"),
    *LICENCES,
    *("trainer_state.json", "*_results.json", "preprocessor_config.json", "processor_config.json"),
)
"""Documents, pictures, and records that no loader of a text model reads: they may lie in the folder, and are not read.
So may hidden files."""

PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
ALLOWED = f"{SHARDS}, {', '.join(READ[:5])} and a tokenizer's usual files; documents and pictures may lie beside them"


def folder_of(spec: ModelSpec, weights: Path) -> Path:
    """Return the model's folder: the row's own, or that of the download."""
    return Path(spec.folder) if spec.folder else weights


def public_name(spec: ModelSpec) -> str:
    """Return the model's name in checkpoints and records: no path of this machine."""
    if spec.hub:
        return spec.hub.repo
    return f"{spec.package.package}=={spec.package.version}" if spec.package else spec.name


def files_of(folder: Path, where: str) -> dict[str, Path]:
    """Return the files of a model folder that are read, by name, links resolved.

    Raises:
        ConfigError: no model is there, or a file is there that is not read and no document, or one from elsewhere.
    """
    try:
        found = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
        if CONFIG not in found:
            raise ConfigError(f"{where}: no {CONFIG} there; run `kedro fetch` or put the model's files into it")
        for name in READ:
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                raise ConfigError(f"{where}: {name} must be a regular file, got a folder")
        read = {name: path for name, path in found.items() if name in READ or fnmatchcase(name, SHARDS)}
        read = {name: path for name, path in read.items() if "/" not in name}
        _check_rest(found.keys() - read.keys(), where)
        return {name: _resolved(path, folder, where) for name, path in read.items()}
    except OSError as error:
        raise ConfigError(f"{where}: cannot be read: {error.strerror or error}") from None


def _walk(folder: Path) -> Iterator[Path]:
    """The files and links below a folder, hidden ones left out; a link to a folder counts as a file."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name) for name in sorted(files + links) if not name.startswith("."))


def _check_rest(names: Iterable[str], where: str) -> None:
    """Refuse what is neither read nor known to be harmless: it may hold code, pickles, or lead to another model."""
    rest = sorted(name for name in names if not _matches(name.rpartition("/")[2], BESIDE))
    if not rest:
        return
    what = "pickle weights" if _matches(rest[0], PICKLES) else "a file that is not read"
    more = f" and {len(rest) - 1} more" if len(rest) > 1 else ""
    raise ConfigError(f"{where}: {what} ({rest[0]}{more}); remove it; only these are read: {ALLOWED}")


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _resolved(path: Path, folder: Path, where: str) -> Path:
    """The file itself. Links may lead to a file of the folder, or as in the hub's cache to ``../../blobs``."""
    try:
        real, home = path.resolve(strict=True), folder.resolve()
    except (OSError, RuntimeError):  # nothing there, or links in a ring
        raise ConfigError(f"{where}: {path.name} must be a regular file, got a link that leads nowhere") from None
    in_cache = home.parent.name == "snapshots" and real.parent == home.parent.parent / "blobs"
    if not (real.is_relative_to(home) or in_cache):
        raise ConfigError(f"{where}: {path.name} is a link out of the folder; put the file itself there")
    if not stat.S_ISREG(real.stat().st_mode):
        raise ConfigError(f"{where}: {path.name} must be a regular file")
    return real


@contextmanager
def view(files: Mapping[str, Path], texts: Mapping[str, str]) -> Iterator[Path]:
    """Yield a scratch folder with links to the files, some replaced by texts: a library that reads it sees no more.

    Args:
        files: by name, what is linked.
        texts: by name, what is written; it goes before ``files``.
    """
    with tempfile.TemporaryDirectory(prefix="peft-pipelines-model-") as scratch:
        for name, path in files.items():
            if name not in texts:
                show_at(Path(scratch) / name, path)
        for name, text in texts.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        yield Path(scratch)
