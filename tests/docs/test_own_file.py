"""docs/adding.md, "Your own file", followed to the letter: its file is written down, and its two commands are typed."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from project import PARAMETERS, Project, project

__all__ = ["project"]

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs/adding.md").read_text(encoding="utf-8").partition("## Your own file")[2].partition("\n## ")[0]
ROWS, OUTPUT = re.findall(r"^```text\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
(COMMANDS,) = re.findall(r"^```console\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
(PYTHON,) = re.findall(r"^```python\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
(WRITTEN,) = re.findall(r"^```yaml\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
TOKENS = re.compile(r" +# the longest answer has .*\n +max_new_tokens: \d+\n")
"""What the tokenizer decides, which is another one here."""


@pytest.fixture
def small(project: Project) -> Project:
    """The project with the small model in its base."""
    base = project.folder / "conf/base"
    (base / "parameters/models.yml").write_text(yaml.safe_dump({"models": PARAMETERS["models"]}))
    grid = {"methods": ["zero_shot"], "models": ["tiny"], "tasks": ["sst2"], "seeds": ["s0"]}
    (base / "grid.yml").write_text(yaml.safe_dump(grid))
    bootstrap_project(project.folder)
    return project


def test_the_two_commands_of_the_page_make_what_it_shows(small: Project) -> None:
    from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    Path("tickets.csv").write_text(ROWS)
    for line in COMMANDS.splitlines():
        here = ["--workers=1"] if line.startswith("kedro run") else []
        done = CliRunner().invoke(cli, [*shlex.split(line)[1:], *here])
        assert done.exit_code == 0, done.output
    written = Path("conf/tickets/parameters.yml").read_text()
    task, _, more = written.partition("\n\n")
    assert TOKENS.sub("", f"{task}\n") == TOKENS.sub("", WRITTEN)
    assert more.startswith("# Fewer rows")
    answers = Path("data/tickets/07_model_output/tiny/tickets/zero_shot/s0/predictions.jsonl").read_text()
    assert len(answers.splitlines()) == round(0.2 * (len(ROWS.splitlines()) - 1))
    assert not Path("data/08_reporting").exists()


@pytest.mark.real
def test_the_page_shows_what_the_first_command_prints(project: Project, base_folder: Path) -> None:
    from peft_pipelines.cli.main import cli  # noqa: PLC0415  (likewise)

    bootstrap_project(project.folder)
    Path("data/01_raw").mkdir(parents=True)
    Path("data/01_raw/models").symlink_to(base_folder.parent)
    Path("tickets.csv").write_text(ROWS)
    done = CliRunner().invoke(cli, shlex.split(COMMANDS.splitlines()[0])[1:])
    assert done.stdout == OUTPUT


def test_the_python_of_the_page_runs(small: Project, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tickets.csv").write_text(ROWS)
    exec(PYTHON, {})
    files, *prompt = capsys.readouterr().out.splitlines()
    assert files == "conf/tickets/grid.yml conf/tickets/parameters.yml"
    assert prompt[-1].endswith("⟦billing<|im_end|>⟧")
    assert not (small.folder / "conf/tickets").exists()


def test_the_page_names_each_option() -> None:
    from peft_pipelines.cli.add_task_command import add_task  # noqa: PLC0415  (likewise)

    options = {name for one in add_task.params for name in one.opts if name.startswith("--")}
    assert options == {*re.findall(r"--[a-z][a-z-]*", SECTION)}
