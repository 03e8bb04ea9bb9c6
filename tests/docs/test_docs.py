"""What the documentation says is so: its links lead somewhere, its rows are rows."""

import re
from pathlib import Path
from typing import Any

import base_rows
import pytest
import tiny
import yaml

from peft_pipelines.config import Grid, MethodSpec, ModelSpec, SamplingSpec, TaskSpec, parse
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.methods import providers
from peft_pipelines.storage.splits import RowsFolder
from peft_pipelines.training.loss import loss_of

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "benchmarks", "methods", "conf", "notebooks", "src", "starter", "tests")
TEXTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
LINK = re.compile(r"\]\(<?([^)\s>]+)")
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
PLACEHOLDER = "…"


def links(path: Path) -> list[str]:
    """The relative links and images of a Markdown file, without their anchors."""
    found = [link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8"))]
    return [link for link in found if link and "://" not in link and not link.startswith("mailto:")]


def blocks(name: str) -> list[str]:
    """The YAML blocks of a Markdown file, placeholders filled."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [block.replace(PLACEHOLDER, "text") for block in BLOCK.findall(text)]


def rows(axis: str) -> dict[str, Any]:
    """The documentation's rows of an axis, by name."""
    found = [yaml.safe_load(block)[axis] for block in BLOCKS if axis in yaml.safe_load(block)]
    return {name: row for part in found if isinstance(part, dict) for name, row in part.items()}


BLOCKS = [*blocks("README.md"), *blocks("docs/adding.md")]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    assert [link for link in links(path) if not (path.parent / link).exists()] == []


def test_there_are_links_to_test() -> None:
    assert {"docs/adding.md", "docs/images/pipeline.png"} <= set(links(ROOT / "README.md"))


def test_every_block_holds_rows_or_fields_or_a_grid() -> None:
    kinds = {" ".join(sorted(yaml.safe_load(block))) for block in BLOCKS}
    fields = "continuations metrics"  # of a task's row: test_continuations runs them
    assert kinds == {"tasks", "methods", "models", "training", fields, "methods models seeds tasks"}


def test_the_training_row_of_adding_is_a_training_row() -> None:
    (row,) = [yaml.safe_load(block)["training"] for block in BLOCKS if "training" in yaml.safe_load(block)]
    assert loss_of(tiny.training_args(**row), tiny.ROWS["lora"])


TICKETS = """\
text,team
I was charged twice,billing
The app shows a blank page,technical
How much are ten seats?,sales
"""


def test_the_task_of_the_readme_makes_prompts_of_files_on_disk(tmp_path: Path) -> None:
    (row,) = [yaml.safe_load(block)["tasks"]["tickets"] for block in blocks("README.md") if "tickets:" in block]
    task = parse(TaskSpec, "task 'tickets'", {**row, "name": "tickets"})
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text(TICKETS, encoding="utf-8")
    values = yaml.safe_load((base_rows.PARAMETERS / "training.yml").read_text(encoding="utf-8"))["sampling"]
    sampling = parse(SamplingSpec, "sampling", values)
    prompts = instruct(adapt(RowsFolder(filepath=str(tmp_path)).load(), task, sampling), task)
    assert {split: table.num_rows for split, table in prompts.items()} == {"train": 2, "validation": 1, "test": 3}
    question = "Which team should answer this ticket? Answer with one word: billing, technical or sales.\n\nTicket: "
    assert prompts["test"].to_pylist() == [
        {"prompt": f"{question}I was charged twice", "references": ["billing"]},
        {"prompt": f"{question}The app shows a blank page", "references": ["technical"]},
        {"prompt": f"{question}How much are ten seats?", "references": ["sales"]},
    ]


def test_the_task_of_the_readme_is_short() -> None:
    block = next(block for block in BLOCKS if "tickets:" in block)
    lines = block.splitlines()
    assert len(lines[lines.index("  tickets:") :]) < 15


@pytest.mark.parametrize("name", rows("methods"))
def test_the_methods_can_be_attached(name: str) -> None:
    method = parse(MethodSpec, f"method '{name}'", {**rows("methods")[name], "name": name})
    providers.check(method, tiny.skeleton("llama"))
    assert tiny.training_args().overridden(method).learning_rate == method.training["learning_rate"]


@pytest.mark.parametrize("name", rows("models"))
def test_the_models_are_rows(name: str) -> None:
    assert parse(ModelSpec, f"model '{name}'", {**rows("models")[name], "name": name}).folder


def test_the_grid_is_a_grid() -> None:
    (block,) = [block for block in BLOCKS if "seeds" in yaml.safe_load(block)]
    grid = parse(Grid, "grid.yml", yaml.safe_load(block))
    assert len(grid.cells()) == 3 * 1 * 1 * 3
