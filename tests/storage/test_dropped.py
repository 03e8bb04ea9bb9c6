"""Weights that are dropped: a small file first, then the files, whenever the process dies; nothing else is touched."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.storage import dropped
from peft_pipelines.storage.checkpoint import opened

NOTE = {"dropped": "2026-11-29", "because": "a row says so", "again": "kedro run"}
HASHES = {"a.safetensors": "aa", "inner/b.safetensors": "bb", "config.json": "cc", "record.json": "dd"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of two files of weights."""
    (tmp_path / "inner").mkdir()
    for name in HASHES:
        (tmp_path / name).write_text("{}")
    (tmp_path / "a.safetensors").write_text("weights")
    return tmp_path


def left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_dropped_is_named_with_its_size_and_hash(folder: Path) -> None:
    size = opened(folder).bytes
    dropped.drop(folder, HASHES, NOTE)
    assert left(folder) == {"config.json", "record.json", "dropped.json"}
    assert json.loads((folder / "dropped.json").read_text()) == {
        **NOTE,
        "files": {
            "a.safetensors": {"bytes": 7, "sha256": "aa"},
            "inner/b.safetensors": {"bytes": 2, "sha256": "bb"},
        },
    }
    after = opened(folder)
    assert after.bytes == size == 11
    with pytest.raises(ConfigError) as caught:
        _ = after.weights
    line = "its weights were dropped on 2026-11-29 (a row says so); to have them again: kedro run"
    assert str(caught.value) == f"checkpoint '{folder.parent.name}': {line}"


class Killed(BaseException):
    """A process that ends at once."""


def dying(call: Callable[..., Any], count: int) -> Callable[..., Any]:
    calls = []

    def instead(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) > count:
            raise Killed
        return call(*arguments, **options)

    return instead


@pytest.mark.parametrize("removed", [0, 1])
def test_a_death_between_two_removals_leaves_a_stub(
    folder: Path, removed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dying(Path.unlink, removed))
        with pytest.raises(Killed):
            dropped.drop(folder, HASHES, NOTE)
    assert len(dropped.still_there(folder)) == 2 - removed
    assert opened(folder).bytes == 11
    before = (folder / "dropped.json").read_text()
    dropped.drop(folder, HASHES, {**NOTE, "dropped": "later"})
    assert left(folder) == {"config.json", "record.json", "dropped.json"}
    assert (folder / "dropped.json").read_text() == before


@pytest.mark.parametrize("operation", ["replace", "fsync"])
def test_a_death_before_the_stub_stands_leaves_a_whole_checkpoint(
    folder: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(f"os.{operation}", dying(print, 0))
        with pytest.raises(Killed):
            dropped.drop(folder, HASHES, NOTE)
    assert left(folder) == set(HASHES)
    assert opened(folder).weights == folder


def test_a_stub_names_no_file_outside_its_folder(folder: Path) -> None:
    outside = folder / "config.json"
    checkpoint = folder / "inner"
    text = json.dumps({**NOTE, "files": {"../config.json": {"bytes": 2, "sha256": "cc"}}})
    (checkpoint / "dropped.json").write_text(text)
    dropped.remove_dropped(checkpoint)
    assert outside.is_file()
    assert (checkpoint / "b.safetensors").is_file()


@pytest.mark.parametrize("text", ["{", "[]", '{"dropped": 1}'])
def test_a_damaged_stub_is_told_in_a_line(folder: Path, text: str) -> None:
    (folder / "dropped.json").write_text(text)
    with pytest.raises(ConfigError, match=r"^dropped\.json"):
        dropped.dropped_from(folder)
    assert dropped.dropped_hashes(folder) == {}


def test_a_file_that_was_not_saved_with_the_checkpoint_stays(folder: Path) -> None:
    (folder / "own.safetensors").write_text("a person's")
    dropped.drop(folder, HASHES, NOTE)
    assert left(folder) == {"config.json", "record.json", "dropped.json", "own.safetensors"}


def test_a_damaged_note_is_named_with_its_field(folder: Path) -> None:
    dropped.drop(folder, HASHES, NOTE)
    (folder / "dropped.json").write_text(json.dumps({**NOTE, "files": 3}))
    with pytest.raises(ConfigError, match=r"^dropped\.json, files: "):
        dropped.dropped_from(folder)
    (folder / "dropped.json").write_text("{")
    with pytest.raises(ConfigError, match=r"^dropped\.json: "):
        dropped.dropped_from(folder)
