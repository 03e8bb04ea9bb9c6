"""Facts of the user's cache folder: kept by key, the newest of them, lost without harm."""

import json
from pathlib import Path

import pytest

from peft_pipelines.files import user_cache
from peft_pipelines.files.user_cache import recall, remember


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "peft_pipelines"


def test_a_fact_is_recalled_by_its_key_and_file(folder: Path) -> None:
    assert recall("a.json", "k") is None
    remember("a.json", "k", "1")
    remember("a.json", "l", "2")
    assert (recall("a.json", "k"), recall("a.json", "l"), recall("b.json", "k")) == ("1", "2", None)


def test_the_newest_facts_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_cache, "REMEMBERED", 2)
    for key in "abc":
        remember("a.json", key, key)
    assert json.loads((folder / "a.json").read_text()) == {"b": "b", "c": "c"}


def test_a_folder_that_cannot_be_written_keeps_nothing(folder: Path) -> None:
    folder.write_text("a file")
    remember("a.json", "k", "1")
    assert recall("a.json", "k") is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"k": 1}'])
def test_a_damaged_file_knows_nothing_and_is_written_again(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "a.json").write_bytes(content)
    assert recall("a.json", "k") is None
    remember("a.json", "k", "1")
    assert recall("a.json", "k") == "1"
