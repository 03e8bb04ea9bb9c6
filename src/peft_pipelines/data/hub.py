"""Downloads from the model and data hub, at the revisions of a lock file. Not used once everything is fetched."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import Any

import pyarrow as pa
from datasets import load_dataset
from datasets.exceptions import DatasetsError
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError

from peft_pipelines.config import HubModel, HubSource
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.models.folder import READ, SHARDS

OTHER_FILES = ("*/*", "consolidated*")
"""Folders hold the same weights in other formats, and so do ``consolidated`` files."""

PARQUET_BRANCH = "refs/convert/parquet"
"""The branch of the hub's own conversion of a data set: ``{config}/{split}/0000.parquet`` and on."""

NO_CONFIG = "default"
"""The conversion's name for the only configuration of a data set that names none."""


@dataclass(frozen=True)
class Repository:
    """A branch of a hub repository.

    Attributes:
        kind: ``model`` or ``dataset``.
        name: ``owner/name``.
        branch: the branch whose newest commit a first fetch pins.
        where: the row that names it, for errors.
        instead: the advice for a machine without the hub, for errors.
    """

    kind: str
    name: str
    branch: str
    where: str
    instead: str

    def revision(self, lock: Path) -> str:
        """Return the commit to read: the lock's, or the newest, which is then written there."""
        ask = partial(HfApi().repo_info, self.name, revision=self.branch, repo_type=self.kind)
        return pinned(lock, f"{self.kind} {self.name} {self.branch}", lambda: str(self.reach(ask).sha))

    def reach(self, call: Callable[[], Any]) -> Any:
        """Return what a call to the hub returns.

        Raises:
            ConfigError: the call failed, in one line with the advice.
        """
        try:
            return call()
        except GatedRepoError:
            reason = "it is gated: accept its terms on its page, then log in with `hf auth login`"
        except (OSError, ValueError, RuntimeError, DatasetsError) as error:
            reason = shorten(str(error), width=240, placeholder=" …")
        raise ConfigError(
            f"{self.where}: hub repository '{self.name}' could not be read: {reason.rstrip('.')}; {self.instead}"
        )


def pinned(lock: Path, key: str, newest: Callable[[], str]) -> str:
    """Return the revision that the lock holds for a source; the first fetch asks ``newest`` and writes it there.

    The pin is written before the download, so whatever lies on disk is named by the lock.

    Raises:
        ConfigError: the lock cannot be read.
    """
    try:
        pins: dict[str, str] = read_json(lock) if lock.is_file() else {}
    except ValueError as error:
        raise ConfigError(f"{lock}: not valid JSON ({error}); mend or remove it, the next fetch pins anew") from None
    if key not in pins:
        pins[key] = newest()
        write_json(lock, dict(sorted(pins.items())))
    return pins[key]


def download_model(source: HubModel, where: str, folder: Path, lock: Path) -> None:
    """Put a model repository's safetensors, config and tokenizer files into a folder.

    Raises:
        ConfigError: the repository cannot be reached or is gated.
    """
    instead = "with its files on this machine, give the row `folder: PATH` in place of `hub:`"
    repository = Repository("model", source.repo, source.revision or "main", where, instead)
    fetch = partial(
        snapshot_download,
        source.repo,
        revision=repository.revision(lock),
        local_dir=folder,
        allow_patterns=[SHARDS, *READ],
        ignore_patterns=list(OTHER_FILES),
    )
    repository.reach(fetch)
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def download_splits(source: HubSource, names: list[str], where: str, lock: Path) -> dict[str, pa.Table]:
    """Return the named splits of a data set as tables, all at the lock's revision.

    Raises:
        ConfigError: the repository cannot be reached, or has no such configuration or split.
    """
    instead = "with rows on this machine, run with --params raw=FOLDER, which holds one folder a task"
    branch = PARQUET_BRANCH if source.parquet_branch else "main"
    repository = Repository("dataset", source.repo, branch, where, instead)
    revision = repository.revision(lock)
    theirs = {name: source.splits.get(name, name) for name in names}
    return {name: repository.reach(partial(_split, source, theirs[name], revision)) for name in names}


def _split(source: HubSource, name: str, revision: str) -> pa.Table:
    if source.parquet_branch:
        files = f"hf://datasets/{source.repo}@{revision}/{source.config or NO_CONFIG}/{name}/*.parquet"
        dataset = load_dataset("parquet", data_files={name: files}, split=name)
    else:
        dataset = load_dataset(source.repo, source.config, split=name, revision=revision)
    return dataset.with_format("arrow")[:]
