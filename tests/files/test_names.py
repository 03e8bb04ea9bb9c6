"""The names of datasets, tags and arguments: made in one module, and those that the catalog has patterns for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.running.state import FAILURE

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "peft_pipelines"
NAMES = SOURCE / "files" / "names.py"
CELL = Cell(method="m", model="b", task="t", seed="s")

KINDS = "rows|spec|model|task|prompts|answers|details|metrics|predictions|checkpoint"
MADE = re.compile(
    r"(params:.*)"  # a part of the configuration
    r"|(data|cell)\.\{\}"  # a tag
    r"|(\{\}|profiles|majority|random)[_-](raw|adapted|prompts|weights|results|details|answers|profile|scores)"
    r"|.*\{\}-(metrics|predictions|generation|checkpoint|peft_model.*)"  # an artifact of a cell
    r"|(\{\}\.)?\{\}-\{\}-\{\}(-.+)?"
    r"|\{\}\.\{\}-.+"
    r"|(\{\}\.){2,3}(\{\}|-)"  # the id of a cell
    rf"|({KINDS})\.(\{{\}})?"  # an argument of a node
)
"""How the names of names.py look, with {} for each part that is put in."""


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the text of each f-string, sum, join and template of a module, {} for what is put in."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=parts):
                yield (
                    node.lineno,
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts),
                )
            case ast.BinOp(op=ast.Add(), left=ast.Constant(value=str(text))):
                yield node.lineno, f"{text}{{}}"
            case ast.BinOp(op=ast.Add(), right=ast.Constant(value=str(text))):
                yield node.lineno, f"{{}}{text}"
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
                yield node.lineno, text.replace("%s", "{}")
            case ast.Call(
                func=ast.Attribute(value=ast.Constant(value=str(text)), attr="join"),
                args=[ast.List(elts=parts) | ast.Tuple(elts=parts)],
            ):
                yield node.lineno, text.join("{}" for _ in parts)
            case ast.Constant(value=str(text)) if "\n" not in text:
                yield node.lineno, re.sub(r"\{\w+\}", "{}", text) if "{" in text or text.startswith("params:") else ""


def made(code: str) -> list[tuple[int, str]]:
    """The texts of a module that look like a name of names.py."""
    return [(line, text) for line, text in texts(ast.parse(code)) if MADE.fullmatch(text)]


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_name_is_made_elsewhere(path: Path) -> None:
    if path != NAMES:
        assert not made(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        'f"{task}_raw"',
        'task + "_adapted"',
        '"params:pscp"',
        'f"params:tasks.{task}"',
        'f"{cell.method}.{cell.model}-{cell.task}-{cell.seed}-metrics"',
        'f"{artifact}-metrics"',
        '"{}.{}-scores".format(baseline, task)',
        '"%s_results" % method',
        '"cell." + cell',
        'f"{method}.{model}.{task}.{seed}"',
        '".".join([model, task, seed])',
        'f"task.{name}"',
    ],
)
def test_a_name_that_is_made_elsewhere_is_seen(code: str) -> None:
    assert made(code)


@pytest.mark.parametrize(
    "code", ['f"{package}.{part}"', '"results"', 'f"no row for {task}_raw"', 'f"{count} of {all}"']
)
def test_other_texts_are_not_taken_for_names(code: str) -> None:
    assert not made(code)


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "conf/base/catalog.yml").read_text(encoding="utf-8"))
    return found


def of_sample_grid() -> dict[str, str]:
    """By the pattern of the catalog the name that names.py makes of a grid of one cell."""
    kinds = (names.LIVE, names.WORKSPACE, *names.KINDS)
    return {
        "{task}_raw": names.raw("t"),
        "{task}_adapted": names.adapted("t"),
        "{task}_prompts": names.prompts("t"),
        "profiles.{task}-profile": names.profile("t"),
        "{model}_weights": names.weights("b"),
        "{method}_results": names.results("m"),
        "{method}_details": names.details("m"),
        "{method}_answers": names.answers("m"),
        "{baseline}.{task}-scores": names.scores("m", "t"),
        **{f"{{method}}.{{model}}-{{task}}-{{seed}}-{kind}": names.artifact(CELL, kind) for kind in kinds},
    }


def constants() -> set[str]:
    """The plain names of names.py."""
    return {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def test_the_catalog_has_an_entry_for_each_name(catalog: dict[str, Any]) -> None:
    values = {"task": "t", "model": "b", "method": "m", "seed": "s", "baseline": "m"}
    for pattern, name in of_sample_grid().items():
        assert pattern in catalog and pattern.format(**values) == name


def test_each_entry_of_the_catalog_is_a_name_of_the_module(catalog: dict[str, Any]) -> None:
    patterns = {entry for entry in catalog if "{" in entry}
    assert patterns == set(of_sample_grid())
    assert set(catalog) - patterns <= constants()


def test_what_stands_in_for_a_cells_numbers_is_what_the_runner_writes(catalog: dict[str, Any]) -> None:
    assert [entry["otherwise"] for entry in catalog.values() if "otherwise" in entry] == [FAILURE]
