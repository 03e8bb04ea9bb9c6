"""The documentation as a whole: names, paths, anchors and layers that it states are those of the code."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from peft_pipelines import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/peft_pipelines"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/decisions").glob("0*.md"))
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WIDTH = 120

DEFINED = re.compile(r"\[`([\w.]+)`\]\(([^)#]+\.py)\)")
ANCHORED = re.compile(r"\]\(([^)\s#]*)#([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"(?:src|tests|conf|docs|benchmarks|notebooks)/[\w./-]*|[\w/]+/\w+\.py|test_\w+\.py")
BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
MADE_BY_THE_READER = {"conf/mine/grid.yml", "conf/mine/parameters.yml", "conf/tickets/parameters.yml"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def defined(module: Path) -> set[str]:
    """Functions, classes, their methods and assigned names of a module."""
    names: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if hasattr(node, "target") else []
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    text = BLOCK.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_to_a_function_names_one_of_that_file(page: Path) -> None:
    links = DEFINED.findall(page.read_text(encoding="utf-8"))
    assert [(name, file) for name, file in links if name not in defined(page.parent / file)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_to_an_anchor_leads_to_a_heading(page: Path) -> None:
    links = [link for link in ANCHORED.findall(page.read_text(encoding="utf-8")) if "://" not in link[0]]
    assert [link for link in links if link[1] not in headings(page.parent / link[0] if link[0] else page)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_path_of_the_project_exists(page: Path) -> None:
    words = CODE.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    paths = {word for word in words if PATH.fullmatch(word)} - MADE_BY_THE_READER
    assert [path for path in sorted(paths) if not any((base / path).exists() for base in (ROOT, PACKAGE))] == []


def test_there_are_links_and_paths_to_test() -> None:
    assert len(DEFINED.findall(ARCHITECTURE)) > 30
    assert ("adding.md", "a-metric") in [
        (Path(file).name, anchor) for file, anchor in ANCHORED.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_have_at_most_120_characters_but_in_tables(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > WIDTH and not line.startswith("|")] == []


def test_the_layers_of_the_page_are_those_of_the_contract() -> None:
    contract = next(one for one in PYPROJECT["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    block = re.search(r"^```text\n(__main__.*?)^```", ARCHITECTURE, re.DOTALL | re.MULTILINE)
    assert block and block[1].splitlines() == contract["layers"]


def test_the_tree_of_the_page_is_the_package() -> None:
    folders = [path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    table = ARCHITECTURE[ARCHITECTURE.index("## The tree") : ARCHITECTURE.index("## The layers")]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(folders)
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert modules == set(re.findall(r"`(\w+\.py)`", table))


def test_every_page_and_every_package_stands_in_the_sites_navigation() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = [page for page in leaves(settings["nav"]) if "/reference/" not in page]
    assert sorted(listed) == sorted(map(name_of, PAGES))
    packages = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    reference = [Path(page).stem for page in leaves(settings["nav"]) if "/reference/" in page]
    assert sorted(reference) == sorted([*packages, "top"])


def leaves(nav: Any) -> list[str]:
    """The pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    parts = nav if isinstance(nav, list) else nav.values()
    return [page for part in parts for page in leaves(part)]


@pytest.mark.parametrize("note", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_at_most_ten_lines_and_is_listed(note: Path) -> None:
    title, *lines = [line for line in note.read_text(encoding="utf-8").splitlines() if line]
    assert title.startswith(f"# {note.name[:4]}: ")
    assert len(lines) <= 10
    index = (note.parent / "README.md").read_text(encoding="utf-8")
    assert f"- [{note.name[:4]}]({note.name}): {title.partition(': ')[2]}\n" in index


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest and {PYPROJECT["project"]["version"], citation["version"], newest[1]} == {__version__}
