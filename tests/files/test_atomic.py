import os
import shutil
from pathlib import Path

import pytest

from peft_pipelines.files.atomic import creating, left_behind, remove_folder, replacing, sweep, sweep_beside
from peft_pipelines.files.owner import Owner, me


class Interrupted(BaseException):
    """As a signal would end it."""


@pytest.mark.parametrize("error", [RuntimeError, Interrupted])
def test_a_error_while_writing_leaves_a_file_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as fresh:
        fresh.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_error_while_writing_leaves_a_folder_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "part").write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as fresh:
        fresh.mkdir()
        (fresh / "part").write_text("half")
        raise RuntimeError
    assert (path / "part").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for name in ("one", "two"):
        with replacing(path) as fresh:
            fresh.mkdir()
            (fresh / name).write_text(name)
    assert [part.name for part in path.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_content_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, Interrupted])
def test_an_error_between_the_two_renames_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "part").write_text("old")
    rename = os.replace

    def once(source: Path, target: Path) -> None:
        rename(source, target)
        monkeypatch.undo()
        raise error

    with pytest.raises(error), replacing(path) as fresh:
        fresh.mkdir()
        monkeypatch.setattr(os, "replace", once)
    assert (path / "part").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


DEAD = Owner(me().machine, me().pid, me().began - 1)


def scratch(folder: Path, owner: Owner | str, *inside: str) -> Path:
    made = folder / f".file.{owner}.x1.part"
    made.mkdir()
    for name in inside:
        (made / name).write_text(name)
    return made


def test_only_the_scratch_of_the_dead_is_left_behind(tmp_path: Path) -> None:
    dead = scratch(tmp_path, DEAD, "file")
    scratch(tmp_path, me(), "file")
    other = scratch(tmp_path, Owner("00000000", 1, 1), "file")
    earlier = tmp_path / ".file.ab12_xyz"
    earlier.mkdir()
    (earlier / "file").write_text("half")
    foreign = tmp_path / ".notes.ab12_xyz"
    foreign.mkdir()
    (foreign / "mine").write_text("a person's")
    (tmp_path / ".file.txt").write_text("a person's")
    assert left_behind(tmp_path) == [dead]
    assert left_behind(tmp_path, claimed=True) == sorted([dead, other, earlier])
    assert left_behind(tmp_path / "nowhere") == []


def test_sweeping_puts_back_what_was_about_to_be_replaced(tmp_path: Path) -> None:
    sweep(scratch(tmp_path, DEAD, "file", "old"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]
    sweep(scratch(tmp_path, DEAD, "file", "old"))
    (tmp_path / f".claim.json.{DEAD}.x.part").write_text("{}")
    sweep(tmp_path / f".claim.json.{DEAD}.x.part")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_sweeping_beside_a_path_is_of_that_path_alone(tmp_path: Path) -> None:
    mine, other = scratch(tmp_path, me(), "file"), tmp_path / f".file.txt.{DEAD}.x1.part"
    other.mkdir()
    scratch(tmp_path, DEAD, "file", "old")
    sweep_beside(tmp_path / "file")
    assert sorted(tmp_path.iterdir()) == sorted([other, mine, tmp_path / "file"])
    assert (tmp_path / "file").read_text() == "old"
    sweep_beside(tmp_path / "nowhere/file")


def test_a_folder_is_removed_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    remove_folder(folder)
    folder.mkdir()
    (folder / "a").write_text("1")

    def never(path: Path, **options: bool) -> None:
        raise Interrupted

    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(shutil, "rmtree", never)
        remove_folder(folder)
    (left,) = tmp_path.iterdir()
    assert (left.suffix, (left / "a").read_text()) == (".part", "1")
    sweep(left)
    assert list(tmp_path.iterdir()) == []


def test_a_new_folder_appears_whole_and_replaces_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with creating(folder) as fresh:
        (fresh / "a").write_text("1")
        assert not folder.exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a"]
    with pytest.raises(FileExistsError), creating(folder) as fresh:
        (fresh / "b").write_text("2")
    with pytest.raises(KeyError), creating(tmp_path / "other") as fresh:
        raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a"]
