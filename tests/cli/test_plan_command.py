"""``kedro plan``: what a run would make and take, from what has run."""

import json
from pathlib import Path
from typing import Any

from click.testing import Result
from project import Project, project
from recorded import LORA, ZERO, original, recorded, took

__all__ = ["original", "project", "recorded"]


def planned(where: Project, *arguments: str) -> Result:
    """The command's result; that nothing is written beside its configuration is part of each test."""
    before = files()
    result = where.kedro("plan", *arguments)
    assert files() == before
    return result


def files() -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in Path().rglob("*") if path.parts[0] not in ("conf", "methods")}


def as_json(where: Project, *arguments: str) -> dict[str, Any]:
    result = planned(where, "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_before_the_first_run_it_counts_and_gives_no_number(project: Project) -> None:
    found = as_json(project)
    assert (found["cells"], found["to_make"], found["not_estimated"], found["data_to_make"]) == (1, 1, 1, ["mood"])
    assert {found[name] for name in ("seconds", "seconds_with_one_worker", "checkpoint_bytes")} == {None}
    lines = planned(project).stdout.splitlines()
    row = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert row == ["zero_shot", "1", "0", "1", "0", "—", "—", "no cell like it has run"]
    assert "1 of 1 cells to make, 0 unchanged. No cell like them has run" in "\n".join(lines)


def test_after_a_run_nothing_is_to_make(recorded: Project) -> None:
    for path in Path("data").rglob("checked.json"):
        path.unlink()
    result = planned(recorded)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "All 2 cells are unchanged: none would be made."


def test_workers_divide_the_time_but_no_cell(recorded: Project) -> None:
    took(LORA, lr_search_seconds=90.0, generate_seconds=10.0, checkpoint_bytes=2_000_000)
    recorded.grid |= {"methods": ["lora"], "seeds": ["s0", "s1", "s2", "s3"]}
    found = {workers: as_json(recorded, f"--workers={workers}") for workers in (1, 2, 3, 50)}
    assert {workers: one["seconds"] for workers, one in found.items()} == {1: 300, 2: 200, 3: 100, 50: 100}
    assert {(one["unchanged"], one["to_make"], one["seconds_with_one_worker"]) for one in found.values()} == {
        (1, 3, 300)
    }
    assert {one["checkpoint_bytes"] for one in found.values()} == {6_000_000}
    assert found[50]["workers"] == 3


def test_only_the_cells_of_a_tag_are_planned(recorded: Project) -> None:
    recorded.grid["seeds"] = ["s0", "s1"]
    found = as_json(recorded, "--tags=lora")
    assert {one["cell"]: one["steps"] for one in found["each"]} == {
        LORA: [],
        "lora.tiny.mood.s1": ["construct", "train", "generate", "score"],
    }
    assert as_json(recorded, "--tags=zero_shot")["each"][0]["cell"] == ZERO


def test_mistakes_are_told_in_one_line(project: Project) -> None:
    for arguments, line in {
        ("--env=nope",): "Error: --env: unknown environment 'nope'. Allowed: ",
        ("--workers=none",): "Error: --workers: must be a whole number from 1 to 1000, got 'none'",
        ("--tags=zero",): "Error: --tags: unknown tag 'zero', did you mean 'zero_shot'? Allowed: ",
    }.items():
        result = planned(project, *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(line)
        assert len(result.stderr.splitlines()) == 1


def test_a_row_that_a_run_would_refuse_is_refused(project: Project) -> None:
    project.method("lora", config={"target_modules": ["nothing_of_this_name"]})
    result = planned(project)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: method 'lora'")
