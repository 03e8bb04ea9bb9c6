"""A task made by one call: what a file from anywhere may hold, and one line for each thing that is no task."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.startup import bootstrap_project
from project import PARAMETERS, Project, project

from peft_pipelines.adding.add_task import AddedTask, add_task
from peft_pipelines.adding.new_rows import RowFiles
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.new_task import Wanted

__all__ = ["project"]

ROWS = "".join(f"line {number},{'sales' if number % 2 else 'billing'}\n" for number in range(12))


@pytest.fixture
def small(project: Project) -> Project:
    """The project with the small model in its base, set up as for the command line."""
    (project.folder / "conf/base/parameters/models.yml").write_text(yaml.safe_dump({"models": PARAMETERS["models"]}))
    (project.folder / "conf/base/grid.yml").write_text("{methods: [lora], models: [tiny], tasks: [sst2], seeds: [s0]}")
    bootstrap_project(project.folder)
    return project


def made(
    small: Project,
    content: str | bytes,
    *,
    write: bool = False,
    sep: str | None = None,
    share: float | None = None,
    **wanted: Any,
) -> AddedTask:
    """A task of an uploaded file, which lies outside the project."""
    path = small.folder.parent / f"{small.folder.name}.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    task = Wanted(**{"name": "mine", "input": "{text}", "label": "team", **wanted})
    return add_task(small.folder, task, RowFiles(path, test_share=share, separator=sep), write=write)


def test_an_upload_becomes_a_copy_and_an_environment(small: Project) -> None:
    added = made(small, "text,team\n" + ROWS, write=True)
    assert (added.env, added.copied) == ("mine", ("data/01_raw/mine/train.csv",))
    assert {path: Path(path).read_text() for path in added.files} == added.files
    assert list(added.files) == ["conf/mine/grid.yml", "conf/mine/parameters.yml"]
    assert Path(added.copied[0]).read_text() == "text,team\n" + ROWS
    assert (sum(added.report.rows.values()), added.report.labels) == (12, {"billing": 6, "sales": 6})
    assert len(added.report.prompts) == 3
    assert all("line " in prompt and "⟦" in prompt for prompt in added.report.prompts)


def test_rows_that_lie_in_the_way_stay(small: Project) -> None:
    Path("data/01_raw/mine").mkdir(parents=True)
    Path("data/01_raw/mine/notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="NAME: 'data/01_raw/mine' is there already and stays as it is; give another"):
        made(small, "text,team\n" + ROWS, write=True)
    assert [path.name for path in Path("data/01_raw").rglob("*")] == ["mine", "notes.txt"]
    assert not Path("conf/mine").exists()


def test_results_that_lie_in_the_way_stay(small: Project) -> None:
    Path("data/mine").mkdir(parents=True)
    with pytest.raises(ConfigError, match="--env: 'data/mine' is there already and stays as it is; give another --env"):
        made(small, "text,team\n" + ROWS)


SOUND = {
    "a byte order mark": ("\ufefftext,team\n" + ROWS, {}),
    "other ends of lines": (("text,team\n" + ROWS).replace("\n", "\r\n"), {}),
    "ends of lines in quotes": ("text,team\n" + ROWS.replace("line 3,", '"line\n3, ""x""",'), {}),
    "semicolons": (("text,team\n" + ROWS).replace(",", ";"), {"sep": ";"}),
    "empty lines": ("text,team\n\n" + ROWS + "\n\n", {}),
    "an index without a name": (",text,team\n" + ROWS.replace("line", "0,line"), {}),
    "names with points and blanks": ("the text.a,the team\n" + ROWS, {"input": "{the text.a}", "label": "the team"}),
    "a label column with braces": ("text,{team}\n" + ROWS, {"label": "{team}"}),
    "a cell with braces": ("text,team\n" + ROWS.replace("line 3", "{text} ${HOME}"), {}),
    "blanks around labels": ("text,team\n" + ROWS.replace("sales", " sales "), {}),
    "the same row again": ("text,team\n" + ROWS + ROWS, {}),
}


@pytest.mark.parametrize(("content", "options"), SOUND.values(), ids=SOUND)
def test_what_files_hold_is_read_as_it_stands(small: Project, content: str, options: dict[str, Any]) -> None:
    added = made(small, content, **options)
    assert set(added.report.labels) == {"billing", "sales"}
    assert sum(added.report.rows.values()) == (24 if content.endswith(ROWS + ROWS) else 12)


NO_TASK: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "another encoding": ("text,team\ncafé,sales\n".encode("latin-1"), {}, "line 2): not UTF-8: 0xe9, save it as UTF-8"),
    "UTF-16": (("text,team\n" + ROWS).encode("utf-16"), {}, "not UTF-8 but UTF-16, save it as UTF-8"),
    "semicolons": (("text,team\n" + ROWS).replace(",", ";"), {}, "single column, 'text;team'; is it --sep ';'?"),
    "an open quote": ('text,team\n"a,sales\n', {}, "line 2: cannot be read as CSV: a quote is not closed"),
    "a cell too many": ("text,team\na,b,sales\n", {}, "line 2: expected 2 columns, got 3"),
    "a column twice": ("text,text\na,b\n", {}, "line 1: two columns are named 'text'"),
    "nothing at all": ("", {}, ".csv' has no rows"),
    "a header alone": ("text,team\n", {}, ".csv' has no rows"),
    "an empty label": ("text,team\na,\n" + ROWS, {}, "column 'team' holds nothing in 1 row (train row 0;"),
    "an empty input": ("text,team\n ,sales\n" + ROWS, {}, "the input holds nothing in 1 row (train row 0;"),
    "one class alone": ("text,team\na,sales\nb,sales\n", {}, "labels: must be 2 or more, got ['sales']"),
    "a text as label": ("text,team\n" + ROWS, {"label": "text"}, "too many for labels; at most 50"),
    "another column": ("text,team\n" + ROWS, {"label": "tema"}, "--label: unknown column 'tema', did you mean 'team'?"),
    "a name in capitals": ("text,team\n" + ROWS, {"name": "Mine"}, "NAME: must be small letters, digits and _"),
    "a name with a point": ("text,team\n" + ROWS, {"name": "mine.2"}, "NAME: must be small letters, digits and _"),
    "a name of 65 letters": ("text,team\n" + ROWS, {"name": "x" * 65}, "behind a letter, 64 at most"),
    "a path as name": ("text,team\n" + ROWS, {"name": "../mine"}, "NAME: must be small letters, digits and _"),
    "the name of a task": ("text,team\n" + ROWS, {"name": "sst2"}, "NAME: 'sst2' is a task already"),
    "one input alone": (
        "text,team\na,sales\na,billing\n",
        {},
        "splits.test_share: all rows of split 'train' share one",
    ),
    "an empty instruction": ("text,team\n" + ROWS, {"instruction": ""}, "task 'mine', instruction: must hold text"),
    "rows for the test alone": (
        "text,team\na,sales\nb,sales\nc,billing\nd,billing\n",
        {"share": 0.9},
        "split 'train': none of its 4 rows is left to train on, all are cut off for validation or test",
    ),
    "letters as separator": ("text,team\n" + ROWS, {"sep": "x"}, "--sep: must be one character that is no letter"),
}


@pytest.mark.parametrize(("content", "options", "line"), NO_TASK.values(), ids=NO_TASK)
def test_what_is_no_task_is_one_line(small: Project, content: str | bytes, options: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(small, content, **options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
