"""What nobody needs is found and removed, and nothing that a run on record or under way rests on."""

from pathlib import Path

import pytest
from litter import CELL, CHECKPOINTS, OLD, aged, held, litter, old_version, older_run
from project import Project
from recorded import RUNS, ids, original, recorded
from signs import begun
from stores import tree

from peft_pipelines.tracking import clean, clean_up
from peft_pipelines.tracking.clean import Item

__all__ = ["original", "recorded"]


def cleaned(where: Project, *options: str) -> list[str]:
    result = where.kedro("clean", *options)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def sound(where: Project) -> None:
    """All that runs on record rest on is there."""
    for run_id in ids():
        assert where.kedro("verify", run_id).exit_code == 0


def test_a_sound_store_has_nothing_to_clean(recorded: Project) -> None:
    before = tree(Path("data"))
    assert cleaned(recorded) == ["nothing to clean in this store"]
    assert cleaned(recorded, "--apply", "--keep-last=1")[-1] == "nothing was removed"
    assert tree(Path("data")) == before


def test_what_is_listed_is_removed_and_nothing_else(recorded: Project) -> None:
    before = {path for path in Path("data").rglob("*") if path.is_file()}
    added = litter()
    listed = cleaned(recorded, "--all")
    assert {Path(line.rpartition(": ")[2]) for line in listed if line.startswith("* ")} == added
    assert all(path.exists() for path in added)
    assert listed[-1].startswith("8 items of ")
    assert cleaned(recorded, "--apply")[-1].startswith("8 items of ")
    assert {path for path in Path("data").rglob("*") if path.is_file()} == before
    sound(recorded)


def test_what_vanishes_while_it_is_looked_at_is_passed_over(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    added = litter()
    gone, measured = sorted(added)[0], clean.bytes_of

    def bytes_of(path: Path) -> int:
        if path.resolve() == gone.resolve():
            raise FileNotFoundError(path)
        return measured(path)

    monkeypatch.setattr(clean, "bytes_of", bytes_of)
    listed = cleaned(recorded, "--all")
    assert {Path(line.rpartition(": ")[2]) for line in listed if line.startswith("* ")} == added - {gone}


def test_what_a_run_holds_is_left(recorded: Project) -> None:
    version = old_version()
    held(CELL)
    lines = cleaned(recorded, "--apply")
    assert lines == [
        "* lora · tiny · mood · s0 is left: held by run theirs on far (process 7)",
        "",
        "nothing was removed",
    ]
    assert version.is_dir()


def test_records_stay_while_a_run_is_under_way(recorded: Project) -> None:
    folder = older_run()
    begun(RUNS, "2099-01-01T00.00.00.000Z")
    lines = cleaned(recorded, "--apply", "--keep-last=1")
    assert "* report is left: run 2099-01-01T00.00.00.000Z on h (process 7) is under way" in lines
    assert lines[-1] == "nothing was removed"
    assert folder.is_dir() and (CHECKPOINTS / OLD).is_dir()


def test_what_only_older_runs_rest_on_goes_with_their_records(recorded: Project) -> None:
    folder = older_run()
    assert cleaned(recorded) == ["nothing to clean in this store"]
    assert cleaned(recorded, "--keep-last=2") == ["nothing to clean in this store"]
    assert cleaned(recorded, "--apply", "--keep-last=1")[-1].startswith("2 items of ")
    assert not folder.exists() and not (CHECKPOINTS / OLD).exists()
    sound(recorded)


def test_a_clean_up_that_dies_leaves_no_record_without_its_files(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    older_run()
    remove, removed = clean_up._remove, []

    def die_at_the_second(item: Item) -> None:
        removed.append(item)
        if len(removed) == 2:
            raise OSError(28, "No space left on device")
        remove(item)

    with monkeypatch.context() as patched:
        patched.setattr(clean_up, "_remove", die_at_the_second)
        assert recorded.kedro("clean", "--apply", "--keep-last=1").exit_code == 1
    assert OLD not in ids() and (CHECKPOINTS / OLD).is_dir()
    assert not list(Path("data").rglob("claim.json"))
    sound(recorded)
    assert cleaned(recorded, "--apply")[-1].startswith("1 item of ")


def test_only_what_is_old_enough_and_of_a_kind(recorded: Project) -> None:
    litter()
    aged(CHECKPOINTS / OLD, 40)
    aged(CELL / "failure.log", 40)
    assert cleaned(recorded, "--older-than=30")[-1].startswith("2 items of ")
    assert cleaned(recorded, "--older-than=30", "--only=failed")[-1].startswith("1 item of 60 B ")
    assert cleaned(recorded, "--only=states,damaged")[-1].startswith("2 items of 1.6 kB ")


def test_where_a_record_is_damaged_nothing_is_removed(recorded: Project) -> None:
    version = old_version()
    (CELL / "state.json").write_text("{")
    assert cleaned(recorded, "--apply", "--only=versions") == ["nothing was removed"]
    (run_id,) = ids()
    (RUNS / run_id / "manifest.json").write_text("{")
    result = recorded.kedro("clean", "--apply")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: run '{run_id}': its manifest.json is damaged (")
    assert version.is_dir()


def test_mistakes_are_told_in_one_line(recorded: Project) -> None:
    for arguments, line in {
        ("--keep-last=0",): "Error: --keep-last: must be a whole number from 1 to 1000, got '0'",
        ("--keep-last=1", "--only=versions,failed"): "Error: --keep-last: is for the kind 'runs', got --only ver",
        ("--only=version",): "Error: --only: unknown kind 'version', did you mean 'versions'? Allowed: ",
    }.items():
        result = recorded.kedro("clean", *arguments)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
        assert result.stderr.startswith(line)
