"""What is recorded of a machine and its code: enough to explain a number, nothing that names anyone."""

import subprocess
from pathlib import Path

import pytest
import torch

from peft_pipelines.tracking import environment as environments
from peft_pipelines.tracking.environment import code_of, command_line, environment, public


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=-", "-c", "user.email=-"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_the_commit_is_told_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    clean, changed = tmp_path / "clean", tmp_path / "changed"
    for folder in (clean, changed):
        folder.mkdir()
        git(folder, "init")
        (folder / "a.txt").write_text("a")
        git(folder, "add", "a.txt")
        git(folder, "commit", "-m", "a")
    (changed / "a.txt").write_text("b")
    assert len(code_of(clean)["git_commit"]) == 40
    assert code_of(clean)["git_dirty"] is False
    assert code_of(changed)["git_dirty"] is True


def test_without_git_nothing_is_known(tmp_path: Path) -> None:
    assert code_of(tmp_path) == {"git_commit": None, "git_dirty": None}


def test_the_machine_is_told_without_names(tmp_path: Path) -> None:
    found = environment(tmp_path)
    assert found["hardware"]["memory_gb"] > 0
    of_gpu = {"gpu", "cuda", "driver", "attention"}
    assert set(found["hardware"]) == {"processor", "architecture", "cores", "threads", "memory_gb", *of_gpu}


@pytest.mark.parametrize("module", ["x86_64 Kernel Module", "Open Kernel Module for x86_64"])
def test_a_gpu_is_told_with_what_decides_its_bits(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = f"NVRM version: NVIDIA UNIX {module}  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version: 12\n"
    (tmp_path / "version").write_text(said)
    monkeypatch.setattr(environments, "_DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA X")
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        found = environments.hardware()
    finally:
        torch.backends.cuda.enable_cudnn_sdp(True)
    assert [found[name] for name in ("gpu", "cuda", "driver")] == ["NVIDIA X", "12.8", "550.54.14"]
    assert found["attention"] == ["flash", "mem_efficient", "math"]


def test_a_command_is_told_as_it_is_typed() -> None:
    run = {
        "pipeline_names": ["__default__"],
        "tags": ("b", "a"),
        "env": "smoke",
        "runtime_params": {"training": {"epochs": 2}, "raw": "/home/me/rows"},
    }
    assert command_line(run) == "kedro run --env=smoke --tags=a,b --params=training.epochs=2,raw=<raw>"


def test_a_pinned_version_is_part_of_the_command() -> None:
    run = {"pipeline_names": ["report"], "load_versions": {"sst2_adapted": "2026-01-01T00.00.00.000Z"}}
    assert command_line(run) == "kedro run --pipelines=report --load-versions=sst2_adapted:2026-01-01T00.00.00.000Z"


def test_a_folder_with_a_blank_in_its_name_is_one_of_this_machine(tmp_path: Path) -> None:
    folder = str(tmp_path / "my data" / "tiny")
    assert public({"folder": folder, "text": "/shrug at it"}) == {"folder": "tiny", "text": "/shrug at it"}
    assert command_line({"runtime_params": {"store": folder}}) == "kedro run --params=store=<store>"


def test_folders_of_the_machine_are_left_out_of_values() -> None:
    assert public({"folder": "/a/b/tiny", "text": "/ or \\", "~": ["~/x"]}) == {
        "folder": "tiny",
        "text": "/ or \\",
        "~": ["x"],
    }
