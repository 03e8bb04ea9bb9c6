"""A project with two runs on record, whose texts can be made hostile, and a board over it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from boards import Board, shown
from recorded import LORA, original

from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.files.checksum import sha256

__all__ = ["original"]

HOSTILE = "</script><img src=x onerror=boo()>\u202eevil\x07\u200b'\"{{7*7}}"
"""Ends a script, runs one, turns what follows, rings, hides a blank, ends attributes, is a template."""
SEEN = "</script><img src=x onerror=boo()>\\u202eevil\\x07\\u200b'\"{{7*7}}"
"""The same as a page shows it."""
LATER, DAMAGED = "2099-01-31T12.00.00.000Z", "<img src=y onerror=boo()>"
CELL = Path("tiny/mood/lora/s0")


def two_runs(original: Path, folder: Path) -> Path:
    """Copy a project with a run on record, and put a second run beside it whose answers of a cell are all wrong."""
    root = folder / "project"
    shutil.copytree(original, root, copy_function=shutil.copy2)
    runs = root / "data/08_reporting/runs"
    (first,) = [path.parent for path in runs.glob("*/manifest.json")]
    second = runs / LATER
    shutil.copytree(first, second)
    found = read_json(second / "manifest.json") | {"run_id": LATER}
    change_answers(runs, found["cells"][LORA], lambda row: {**row, "prediction": row["references"][0]})
    write_json(second / "manifest.json", found)
    return root


def change_answers(runs: Path, cell: dict[str, Any], change: Callable[[Any], Any]) -> None:
    """Change the kept answers of a cell in the record of a run: they get a file and a hash of their own."""
    artifact = cell["artifacts"]["predictions"]
    (digest,) = artifact["sha256"].values()
    kept = runs / "predictions" / f"{digest}.jsonl"
    rows = [change(json.loads(line)) for line in kept.read_text().splitlines()]
    fresh = kept.with_name("fresh.jsonl")
    fresh.write_text("".join(json.dumps(row) + "\n" for row in rows))
    artifact["sha256"] = {"predictions.jsonl": sha256(fresh)}
    fresh.rename(kept.with_name(f"{sha256(fresh)}.jsonl"))


def hostile(root: Path) -> None:
    """Make the label ``bad``, an answer, a prompt, a note, a command and a folder's name hostile."""
    told = root / "data/07_model_output" / CELL
    rows = [_named(json.loads(line)) for line in (told / "predictions.jsonl").read_text().splitlines()]
    rows[0] |= {"prompt": HOSTILE, "prediction": HOSTILE}
    (told / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_json(told / "metrics.json", _named(read_json(told / "metrics.json")))
    (record,) = (root / "data/06_models" / CELL).glob("checkpoint/*/checkpoint/record.json")
    found = read_json(record)
    found["method"]["notes"] = HOSTILE
    write_json(record, found)
    for manifest in (root / "data/08_reporting/runs").glob("*/manifest.json"):
        rows_file = manifest.with_name("rows.yml")
        task = yaml.safe_load(rows_file.read_text())
        task["tasks"]["mood"]["labels"] = _named(task["tasks"]["mood"]["labels"])
        rows_file.write_text(yaml.safe_dump(task))
        facts = read_json(manifest) | {"rows_sha256": sha256(rows_file), "command": HOSTILE}
        for cell in facts["cells"].values():
            change_answers(manifest.parents[1], cell, _named)
        write_json(manifest, facts)
    damaged = root / "data/08_reporting/runs" / DAMAGED
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{}")


def _named(value: Any) -> Any:
    """A value with the label ``bad`` called otherwise, in texts and keys."""
    change: Callable[[str], str] = lambda text: text.replace("bad", HOSTILE)  # noqa: E731
    if isinstance(value, dict):
        return {change(str(key)) if isinstance(key, str) else key: _named(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner) for inner in value]
    return change(value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def results_board(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board over a project with two runs on record."""
    with shown(two_runs(original, tmp_path_factory.mktemp("two"))) as found:
        yield found


@pytest.fixture(scope="module")
def hostile_board(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """The same with hostile texts."""
    root = two_runs(original, tmp_path_factory.mktemp("hostile"))
    hostile(root)
    with shown(root) as found:
        yield found
