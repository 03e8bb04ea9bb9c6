"""``kedro reproduce`` makes a run again from its own rows and says what is equal."""

import json

from project import Project
from recorded import LORA, RUNS, ZERO, ids, lines, manifest, original, recorded  # noqa: F401

from peft_pipelines.tracking.differences import differences


def test_a_run_gives_its_numbers_again_whatever_is_configured_today(
    recorded: Project,  # noqa: F811
) -> None:
    (run_id,) = ids()
    before = sorted(RUNS.parent.rglob("*"))
    recorded.parameters["training"]["learning_rate"] = 0.5
    recorded.grid["methods"] = ["zero_shot"]
    result = recorded.kedro("reproduce", run_id)
    assert result.exit_code == 0, result.output
    assert lines(result)[0].startswith(f"run {run_id} of ")
    assert lines(result)[-1].startswith("All ")
    assert any(line.startswith(f"| {LORA} ") and line.count(" equal |") == 3 for line in lines(result)), result.stdout
    assert sorted(RUNS.parent.rglob("*")) == before


def test_a_number_that_differs_is_named(recorded: Project) -> None:  # noqa: F811
    (run_id,) = ids()
    found = manifest(run_id)
    found["cells"][ZERO]["numbers"]["accuracy"] = 0.75
    found["environment"]["libraries"]["torch"] = "1.0"
    (RUNS / run_id / "manifest.json").write_text(json.dumps(found))
    result = recorded.kedro("reproduce", run_id, "--cell", ZERO)
    assert result.exit_code == 1
    assert any(line.startswith("libraries torch: 1.0 then, ") for line in lines(result))
    (line,) = [line for line in lines(result) if "DIFFERENT" in line]
    assert [part.strip() for part in line.split("|")[1:-1]] == [ZERO, "accuracy", "0.75", "0", "DIFFERENT"]
    assert lines(result)[-1] == "1 of 1 cells differ from the record."


def test_an_unknown_cell_is_refused_before_anything_runs(recorded: Project) -> None:  # noqa: F811
    result = recorded.kedro("reproduce", ids()[0], "--cell", "lora.tiny.mood.s1")
    assert (
        result.stderr
        == f"Error: --cell: unknown cell 'lora.tiny.mood.s1', did you mean '{LORA}'? Allowed: {ZERO}, {LORA}\n"
    )


def test_what_differs_in_the_place_is_told_in_words() -> None:
    then = {"code": {"git_commit": "a" * 40, "git_dirty": False}, "libraries": {"peft": "1", "gone": "2"}}
    here = {"code": {"git_commit": "b" * 40, "git_dirty": False}, "libraries": {"peft": "1"}}
    assert differences(then, here) == [
        "code git_commit: aaaaaaaaaaaa then, bbbbbbbbbbbb here",
        "libraries gone: 2 then, not there here",
    ]
