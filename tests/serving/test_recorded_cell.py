"""A cell as the store has it on record: which version, by which rows, and what is said of one that is not there."""

import json
import shutil
from pathlib import Path

import pytest
from catalogs import catalog_of, checkpoint_of, folder_of
from project import Project, project
from recorded import LORA, RUNS, ZERO, ids, original, recorded

from peft_pipelines.config import Cell
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.checksum import sha256
from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell
from peft_pipelines.storage.dropped import drop, weights_of

__all__ = ["original", "project", "recorded"]

CELL = Cell.of(LORA)
ROWS = {"methods": ["lora", "zero_shot"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0", "s1"]}


def refused(where: Project, cell: Cell = CELL, run_id: str | None = None) -> str:
    with catalog_of(where) as catalog, pytest.raises(ConfigError) as caught:
        recorded_cell(catalog, cell, run_id)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_cell_is_named_in_one_word_or_four() -> None:
    assert cell_of([LORA], ROWS) == cell_of(LORA.split("."), ROWS) == CELL


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["lora.tiny.mood"], "cell: must be METHOD MODEL TASK SEED or METHOD.MODEL.TASK.SEED, got 'lora.tiny.mood'"),
        (["loar.tiny.mood.s0"], "cell: unknown method 'loar', did you mean 'lora'? Allowed: lora, zero_shot"),
        (["lora.tiny.moods.s0"], "cell: unknown task 'moods', did you mean 'mood'? Allowed: mood"),
    ],
)
def test_a_name_that_no_row_has_is_refused(given: list[str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cell_of(given, ROWS)
    assert str(caught.value) == words


def test_its_rows_are_those_of_its_run(recorded: Project) -> None:
    recorded.task["instruction"] = "Is it good?"
    recorded.task["max_new_tokens"] = 9
    with catalog_of(recorded) as catalog:
        found = recorded_cell(catalog, CELL)
    assert (found.task.instruction, found.task.max_new_tokens) == ("Good or bad?", 5)
    assert found.checkpoint.folder.resolve() == checkpoint_of(LORA).resolve()
    assert (found.version, found.run.id, found.seed) == (ids()[0], ids()[0], 0)


def test_an_older_version_is_that_of_an_older_run(recorded: Project) -> None:
    first = ids()[0]
    recorded.task["instruction"] = "Is it good?"
    assert recorded.kedro("run").exit_code == 0
    second = ids()[1]
    with catalog_of(recorded) as catalog:
        now, older = recorded_cell(catalog, CELL), recorded_cell(catalog, CELL, first)
        again = recorded_cell(catalog, CELL)
    assert (now.version, older.version, again.version) == (second, first, second)
    assert (now.task.instruction, older.task.instruction) == ("Is it good?", "Good or bad?")


def test_a_run_that_found_a_cell_unchanged_has_the_version_that_stood(recorded: Project) -> None:
    assert recorded.kedro("run").exit_code == 0
    first, second = ids()
    with catalog_of(recorded) as catalog:
        assert recorded_cell(catalog, CELL, second).version == first


def test_rows_of_an_earlier_release_take_what_they_lack_from_today(recorded: Project) -> None:
    folder = RUNS / ids()[0]
    text = (folder / "rows.yml").read_text()
    assert text.count("\n  deterministic: ") == 1
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("  deterministic: ")]
    (folder / "rows.yml").write_text("".join(lines))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "rows_sha256": sha256(folder / "rows.yml")}))
    recorded.parameters["training"]["deterministic"] = False
    with catalog_of(recorded) as catalog:
        assert recorded_cell(catalog, CELL).training_args.deterministic is False


def test_of_a_cell_that_was_never_made_those_that_were_are_named(recorded: Project) -> None:
    found = refused(recorded, Cell.of("lora.tiny.mood.s1"))
    assert found.startswith("cell 'lora.tiny.mood.s1': has not been made (looked in '")
    assert found.endswith(f"Of this grid there are: {ZERO}, {LORA}")


def test_a_cell_that_has_failed_says_why(recorded: Project) -> None:
    folder = folder_of(LORA)
    (folder / "metrics.json").unlink()
    failure = {"cell": LORA, "node": "train", "type": "OutOfMemoryError", "reason": "no room for 2 GB"}
    (folder / "failure.json").write_text(json.dumps(failure))
    assert refused(recorded) == (
        f"cell '{LORA}': has failed (OutOfMemoryError: no room for 2 GB); see '{folder.resolve() / 'failure.json'}'"
    )


def test_a_cell_that_was_killed_is_not_finished(recorded: Project) -> None:
    (folder_of(LORA) / "metrics.json").unlink()
    assert refused(recorded) == f"cell '{LORA}': is not finished; the same `kedro run` goes on with it"


def test_a_cell_whose_files_have_no_hash_on_record_is_not_finished(recorded: Project) -> None:
    path = folder_of(LORA) / "state.json"
    state = json.loads(path.read_text())
    for node in state["nodes"].values():
        node["sha256"] = {name: files for name, files in node["sha256"].items() if not name.endswith("checkpoint")}
    path.write_text(json.dumps(state))
    assert refused(recorded) == f"cell '{LORA}': is not finished; the same `kedro run` goes on with it"


def test_a_checkpoint_that_is_not_as_it_was_saved_is_refused(recorded: Project) -> None:
    folder = checkpoint_of(LORA)
    path = folder / "adapter_config.json"
    path.write_text(path.read_text() + " ")
    assert refused(recorded).endswith("adapter_config.json' differs from the record; `kedro run` makes it again")
    path.unlink()
    assert "adapter_config.json' is gone" in refused(recorded)
    shutil.rmtree(folder.parent)
    assert (
        refused(recorded) == f"cell '{LORA}': its checkpoint of version {ids()[0]} is gone; `kedro run` makes it again"
    )


def test_a_checkpoint_whose_weights_were_dropped_says_so(recorded: Project) -> None:
    folder = checkpoint_of(LORA)
    hashes = {name: sha256(path) for name, path in weights_of(folder).items()}
    drop(folder, hashes, {"dropped": "today", "because": "keep_weights: false", "again": "kedro run"})
    assert refused(recorded) == (
        f"cell '{LORA}': its weights were dropped on today (keep_weights: false); to have them again: kedro run"
    )


def test_a_run_that_is_unknown_or_lacks_the_cell_is_refused(recorded: Project) -> None:
    assert refused(recorded, run_id="2020").startswith("RUN_ID: unknown run '2020'. Allowed: ")
    found = refused(recorded, Cell.of("lora.tiny.mood.s1"), ids()[0])
    assert found.startswith(f"run '{ids()[0]}': unknown cell 'lora.tiny.mood.s1', did you mean '{LORA}'?")


def test_nothing_is_written_into_the_store(recorded: Project) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in Path("data").rglob("*")}

    before = files()
    with catalog_of(recorded) as catalog:
        recorded_cell(catalog, CELL)
    assert files() == before
