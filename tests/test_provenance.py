"""What is told of a machine and its code: enough to explain a number, nothing that names anyone."""

import subprocess
from pathlib import Path

from peft_pipelines.provenance import code_of, command_line, environment, public


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
    assert set(found["hardware"]) == {"processor", "architecture", "cores", "threads", "memory_gb", "gpu"}


def test_a_command_is_told_as_it_is_typed() -> None:
    run = {
        "pipeline_names": ["__default__"],
        "tags": ("b", "a"),
        "env": "smoke",
        "runtime_params": {"training": {"epochs": 2}, "raw": "/home/me/rows"},
    }
    assert command_line(run) == "kedro run --env=smoke --tags=a,b --params=training.epochs=2,raw=<raw>"


def test_folders_of_the_machine_are_left_out_of_values() -> None:
    assert public({"folder": "/a/b/tiny", "text": "/ or \\", "~": ["~/x"]}) == {
        "folder": "tiny",
        "text": "/ or \\",
        "~": ["x"],
    }
