"""What is done where an operating system lacks something, tried by taking it away."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from peft_pipelines.cli import runner_option
from peft_pipelines.config import ExecutionSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.sandbox import usable
from peft_pipelines.files import claim_file, owner, system
from peft_pipelines.files.atomic import read_json, write_json

WITHOUT = """
import builtins, os, signal, sys

real = builtins.__import__

def lacking(name, variables=None, *others):
    if name in ("fcntl", "resource") and str((variables or {}).get("__name__")).startswith("peft_pipelines"):
        raise ImportError(name)
    return real(name, variables, *others)

import kedro.framework.cli, psutil
builtins.__import__ = lacking
for place, names in ((signal, ("SIGHUP", "SIGXCPU", "SIGKILL")), (os, ("fork", "geteuid", "memfd_create", "pread"))):
    for name in names:
        delattr(place, name)
del os.sched_getaffinity

import peft_pipelines.cli.main
import peft_pipelines.evaluation.sandbox
import peft_pipelines.running.interruption
import peft_pipelines.running.worker
from peft_pipelines.files import machine, system

assert system.fcntl is None and system.resource is None
assert [one.name for one in system.ENDING] == ["SIGINT", "SIGTERM"]
assert machine.free_cores() >= 1
with peft_pipelines.running.interruption.stopping():
    pass
"""


def test_the_commands_and_the_runner_load_without_what_windows_lacks() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that opens no folder, syncs no file that was opened to be read, and makes no link."""
    opened = os.open

    def opens(path: Path, flags: int, *rest: int) -> int:
        if Path(path).is_dir() or not flags & (os.O_RDWR | os.O_WRONLY):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags, *rest)

    def links(place: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "A required privilege is not held by the client", str(place))

    monkeypatch.setattr(os, "open", opens)
    monkeypatch.setattr(shutil, "_use_fd_functions", False)  # as it is there: a tree is removed by paths
    monkeypatch.setattr(Path, "symlink_to", links)
    monkeypatch.setattr(system, "WINDOWS", True)
    monkeypatch.setattr(system, "fcntl", None)
    monkeypatch.setattr(system, "resource", None)


def test_files_are_replaced_where_no_folder_can_be_opened(windows: None, tmp_path: Path) -> None:
    for number in (1, 2):
        write_json(tmp_path / "folder/file.json", number)
    assert read_json(tmp_path / "folder/file.json") == 2
    assert os.listdir(tmp_path / "folder") == ["file.json"]


def test_claims_are_made_and_removed_there(windows: None, tmp_path: Path) -> None:
    holder = claim_file.Holder("run", "host", 1, "owner", "since", "token")
    with claim_file.guarded(tmp_path):
        assert claim_file.made(tmp_path / "claim", holder)
    assert claim_file.holder_of(tmp_path / "claim") == holder
    claim_file.remove(tmp_path / "claim", holder)
    assert os.listdir(tmp_path) == []


def test_a_file_is_copied_where_links_take_rights(windows: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    system.show_at(tmp_path / "place", tmp_path / "file")
    assert (tmp_path / "place").read_text(encoding="utf-8") == "text" and not (tmp_path / "place").is_symlink()


def test_a_link_that_linux_refuses_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "place").touch()
    with pytest.raises(FileExistsError):
        system.show_at(tmp_path / "place", tmp_path / "file")


def test_the_peak_of_memory_is_what_windows_says(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known = SimpleNamespace(memory_info=lambda: SimpleNamespace(peak_wset=7))
    monkeypatch.setattr(psutil, "Process", lambda: known)
    assert system.peak_memory() == 7


def test_the_peak_of_memory_is_in_bytes() -> None:
    assert system.peak_memory() >= psutil.Process().memory_info().rss // 2 > 1_000_000


def test_a_process_that_was_not_waited_for_is_dead_without_proc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert owner._began(process.pid) is not None
    process.communicate(b"\n")
    assert owner._began(process.pid) is None


def test_several_workers_are_refused_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_option, "HANDS_ON", False)
    said = "--workers: must be 1 on Windows, whose processes hand no socket on, got 2"
    with pytest.raises(ConfigError, match=said):
        runner_option.with_workers({}, runner_option.RUNNER, 2, None)
    assert runner_option.with_workers({}, runner_option.RUNNER, 1, None)["workers"] == 1


def test_the_sandbox_is_refused_elsewhere_than_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usable, "LINUX", False)
    monkeypatch.setattr(usable.platform, "system", lambda: "Darwin")
    with pytest.raises(ConfigError, match="the sandbox needs Linux, and this is Darwin"):
        usable.check(ExecutionSpec.model_construct(enabled=True))
