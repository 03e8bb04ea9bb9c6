"""Each field that a user can set has a description, which forms, schemas and the docs show."""

import ast
import importlib
from collections.abc import Iterator

import pytest
from light import SOURCES

from peft_pipelines.config import Spec
from peft_pipelines.config.spec import Spec as Base

CONFIG = SOURCES / "peft_pipelines" / "config"


def specs(source: str) -> Iterator[ast.ClassDef]:
    """The classes of rows that a module defines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["Spec"]:
            yield node


DESCRIBED = ("RowName", "Notes")
"""Types of fields that bring their description."""


def bare(node: ast.ClassDef) -> list[str]:
    """The fields of a class without a description."""
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
    return [
        ast.unparse(part.target)
        for part in fields
        if not ast.unparse(part.target).startswith("_")
        and ast.unparse(part.annotation) not in DESCRIBED
        and "description=" not in ast.unparse(part)
    ]


def test_a_field_without_a_description_is_seen() -> None:
    (node,) = specs('class Row(Spec):\n    a: Notes = ""\n    b: int = 0\n    c: int = Field(description="x")')
    assert bare(node) == ["b"]


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_no_field_of_a_row_lacks_a_description(path) -> None:
    found = [f"{node.name}.{field}" for node in specs(path.read_text(encoding="utf-8")) for field in bare(node)]
    assert not found


def rows() -> list[type[Base]]:
    """The classes of rows of the package config."""
    for path in CONFIG.glob("[!_]*.py"):
        importlib.import_module(f"peft_pipelines.config.{path.stem}")
    return [one for one in Spec.__subclasses__() if one.__module__.startswith("peft_pipelines.config.")]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.__name__)
def test_a_description_is_sentences_and_stands_in_one_place(row: type[Base]) -> None:
    for name, field in row.model_fields.items():
        text = field.description or ""
        assert text[:1].isupper() and text.endswith("."), name
        assert f"``{name}``" not in (row.__doc__ or "")
