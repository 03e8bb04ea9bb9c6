"""Commands in the documentation: the command line of the project, make, pytest and Python understand each of them."""

import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.startup import bootstrap_project
from project import Project, project

from peft_pipelines.config import AXES, Cell

__all__ = ["project"]

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")])
PAGES += sorted((ROOT / "starter").rglob("*.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
TYPED = re.compile(r"(?:… )?(?:(?:\.venv\S*/)?(?:kedro|make|peft-pipelines(?= )|pytest|python)\b|--\w+[= ]).*[^=]")
FENCES = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PROGRAM = re.compile(r"(?:\.venv[\w-]*/bin/)?(kedro|make|peft-pipelines|pytest|python)$")
SYSTEM = ("apt", "curl", "dnf", "docker", "git", "kubectl", "sbatch", "source")
OTHERS = (*SYSTEM, "mlflow", "ollama", "pip", "tensorboard", "transformers", "uv", "vllm", "wandb")
"""Programs that are not of the project."""
PLACEHOLDERS = {"NAME", "METHOD", "MODEL", "TASK", "SEED", "TYPE", "RUN_ID"}
PLACEHOLDERS |= {"mine", "LOHA", "xlora", "channel_gain", "tickets"}
"""Names that the reader puts in, or that a page makes."""
PIPELINES = {"data", "report", "benchmark"}


class Written(NamedTuple):
    """A command and where it stands."""

    page: str
    line: str


def commands() -> list[Written]:
    """All commands of all pages, comments and prompts taken off, each once a page."""
    return [Written(str(page.relative_to(ROOT)), line) for page in PAGES for line in dict.fromkeys(lines(page))]


def lines(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    blocks = [block.replace("\\\n", " ") for block in BLOCK.findall(text)]
    typed = [line.split("  #")[0].strip() for block in blocks for line in prompted(block)]
    short = [line.removeprefix("… ") for line in CODE.findall(FENCES.sub("", text)) if TYPED.fullmatch(line)]
    return [*typed, *(f"kedro run {line}" if line.startswith("--") else line for line in short)]


def prompted(block: str) -> list[str]:
    """The lines that are typed: those behind a ``$`` where a block shows output too, else all."""
    every = [line for line in block.splitlines() if line]
    return [line[2:] for line in every if line.startswith("$ ")] or every


def words(line: str) -> list[str]:
    """A command's words; settings of the environment before it are left out."""
    found = shlex.split(line)
    while found and re.match(r"[A-Z_]+=", found[0]):
        found.pop(0)
    return found


def of(program: str) -> list[Any]:
    """The commands of a program, as parameters of a test."""
    found = [one for one in commands() if (match := PROGRAM.match(words(one.line)[0])) and match[1] == program]
    return [pytest.param(one.line, id=f"{one.page}: {one.line}"[:100]) for one in found]


@pytest.fixture(scope="module")
def cli() -> click.Command:
    """The whole command line, with Kedro's commands, the plugins' and the project's."""
    bootstrap_project(ROOT)
    return KedroCLI(ROOT)


def parsed(group: click.Command, arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """The command's name and the values of its parameters; click raises what it would show."""
    assert isinstance(group, click.Group)
    name, command, rest = group.resolve_command(click.Context(group), list(arguments))
    assert command and name, arguments
    if isinstance(command, click.Group) and rest:
        return parsed(command, rest)
    return name, command.make_context(name, rest).params


@pytest.mark.parametrize("line", of("kedro"))
def test_the_command_line_knows_the_command(cli: click.Command, line: str) -> None:
    if len(words(line)) == 2:  # only a name, as prose has it
        assert known_command(cli, words(line)[1])
        return
    name, values = parsed(cli, words(line)[1:])
    environment = values.get("env")
    assert environment is None or environment in PLACEHOLDERS or (ROOT / "conf" / environment).is_dir()
    if name == "run":
        assert {*(values["pipelines"] or ()), *filter(None, [values["pipeline"]])} <= PIPELINES
        assert set(values["params"]) <= {"raw", "store", "weights"} | PARAMETERS.keys()
        assert all(set(part) <= PARAMETERS[key].keys() for key, part in nested(values["params"]))
        assert all(known(tag) for tag in values["tags"])
        assert all(known_node(node) for node in values["node_names"])
    if name in ("merge", "export", "publish"):
        parts = [part for word in values["cell"] for part in word.split(".")]
        assert all(part in NAMES or part in PLACEHOLDERS for part in parts)


@pytest.mark.parametrize("line", of("peft-pipelines"))
def test_the_program_knows_the_command(cli: click.Command, line: str) -> None:
    from peft_pipelines.cli.outside import outside  # noqa: PLC0415  (as the program does)

    name, *rest = words(line)[1:]
    group = outside if name == "init" else cli
    assert parsed(group, [name, *rest]) if rest else known_command(group, name)


def test_the_help_of_a_command_shows_one_that_works(cli: click.Command) -> None:
    from peft_pipelines.cli.main import cli as ours  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    without = set()
    for name, command in ours.commands.items():
        _, *blocks = inspect.cleandoc(command.help or "").split("\b\n")
        shown = [line for one in blocks for line in one.splitlines() if PROGRAM.match(line.partition(" ")[0])]
        assert all(parsed(cli, words(line)[1:])[0] == words(line)[1] for line in shown)
        without |= {name} if name not in {words(line)[1] for line in shown} else set()
    assert without == {"run", "reproduce", "verify", "compare", "metrics"}


def known_command(group: click.Command, name: str) -> bool:
    context = group.make_context("kedro", [name])
    return isinstance(group, click.Group) and group.get_command(context, name) is not None


def rows(axis: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (ROOT / "conf/base/parameters").rglob("*.yml"):
        found |= (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(axis, {})
    return found


PARAMETERS: dict[str, Any] = {
    key: value
    for path in (ROOT / "conf/base/parameters").glob("*.yml")
    for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()
} | {axis: rows(axis) for axis in AXES}
NAMES = {name for axis in AXES for name in rows(axis)}


def nested(params: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(key, value) for key, value in params.items() if isinstance(value, dict)]


def known(tag: str) -> bool:
    """Whether a tag is a row's name or a cell of rows."""
    return tag in NAMES or (tag.startswith("cell.") and set(tag.split(".")[1:]) <= NAMES)


def known_node(node: str) -> bool:
    """Whether a node's name is a step of a cell: ``{method}.{model}-{task}-{seed}-{step}``."""
    method, _, rest = node.partition(".")
    *cell, step = rest.split("-")
    return {method, *cell} <= NAMES and step in {"construct", "train", "generate", "score"}


@pytest.mark.parametrize("line", of("make"))
def test_the_makefile_has_the_target(line: str) -> None:
    targets = re.findall(r"^([\w-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {word for word in words(line)[1:] if "=" not in word} <= set(targets)


@pytest.mark.parametrize("line", of("pytest"))
def test_the_tests_that_are_named_exist(line: str) -> None:
    paths = [word for word in words(line)[1:] if "/" in word]
    assert paths and all((ROOT / path.partition("::")[0]).exists() for path in paths)


@pytest.mark.parametrize("line", of("python"))
def test_what_the_debugger_is_given_runs_in_this_order(line: str, cli: click.Command) -> None:
    first, *rest = words(line)[1:]
    if first.endswith(".py"):
        assert (ROOT / first).is_file()
        return
    assert [first, rest[0]] == ["-m", "pdb"]
    given = [rest[place + 1] for place, word in enumerate(rest) if word == "-c"]
    exec(given[0], names := {})
    assert given[1].removeprefix("break ") in names and given[2:] == ["continue"]
    parsed(cli, rest[rest.index("kedro") + 1 :])


def test_every_block_says_what_it_holds() -> None:
    opened = {mark for page in PAGES for mark in re.findall(r"^```(.*)$", page.read_text("utf-8"), re.MULTILINE)}
    assert opened == {"", "console", "python", "text", "yaml"}
    bare = [page for page in PAGES for block in FENCES.findall(page.read_text("utf-8")) if block.startswith("```\n")]
    assert bare == []


def test_every_command_is_of_a_program_that_is_known() -> None:
    programs = {words(part)[0] for one in commands() for part in one.line.split("&&")}
    assert {program for program in programs if not PROGRAM.match(program)} <= set(OTHERS)
    assert {match[1] for program in programs if (match := PROGRAM.match(program))} == {
        "kedro",
        "make",
        "peft-pipelines",
        "pytest",
        "python",
    }


@pytest.mark.parametrize("line", [one for one in of("kedro") if one.values[0].startswith("kedro methods")])
def test_the_commands_that_list_methods_run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from peft_pipelines.cli.main import cli as own  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PEFT_DIR", str(ROOT / "methods"))
    bootstrap_project(ROOT)
    arguments = ["lora" if word in ("TYPE", "NAME") else word for word in words(line)[1:]]
    done = CliRunner().invoke(own, arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout


CELL = Cell(method="zero_shot", model="tiny", task="mood", seed="s0")


def of_contributing(start: str) -> list[str]:
    """The commands of CONTRIBUTING that begin so, with a cell of the small project in place of theirs."""
    written = [line for line in lines(ROOT / "CONTRIBUTING.md") if line.startswith(start)]
    put = {"lora.smollm2_135m-sst2-s0": "zero_shot.tiny-mood-s0", "lora.smollm2_135m.sst2.s0": CELL.id}
    for old, new in {**put, "--tags=sst2": "--tags=mood", "--env=smoke": "--env=local"}.items():
        written = [line.replace(old, new) for line in written]
    return written


def test_the_commands_for_debugging_run_one_cell_and_one_node(project: Project) -> None:
    store = project.folder / "data"
    for line in of_contributing("kedro run"):
        done = project.kedro(*words(line)[1:])
        assert done.exit_code == 0, (line, done.output)
    manifests = [json.loads(path.read_text()) for path in sorted(store.rglob("manifest.json"))]
    assert len(manifests) == 3
    assert list(manifests[1]["cells"]) == [CELL.id] and manifests[2]["asked"]["runner"] == "SequentialRunner"
    assert not (store / "08_reporting/results.csv").exists()
