from pathlib import Path

import pytest

from peft_pipelines.files.atomic import replacing


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
