"""Statements of the documentation about rows, fields and output: each is held against what it describes."""

import re
import shutil
from pathlib import Path
from typing import Any

import tiny
import yaml
from click.testing import Result
from project import Project
from recorded import LORA, RUNS, ZERO, ids, only, original, recorded, took
from signs import GONE, begun

from peft_pipelines.config import ExecutionSpec, LrSearchSpec, MethodSpec, parse
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.files.atomic import write_json
from peft_pipelines.methods import providers
from peft_pipelines.tracking.reproduce import EQUAL, Outcome, outcome_tables

__all__ = ["original", "recorded"]

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"`([^`]+)`")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    """A page's part under a heading."""
    part = text(name).partition(f"\n## {title}\n")[2]
    assert part, title
    return part.partition("\n## ")[0]


def table(part: str) -> list[list[str]]:
    """The lines of all tables in a text, their heads and rules too."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]


def rows(folder: str, axis: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (ROOT / "conf/base/parameters" / folder).glob("*.yml"):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))[axis]
    return found


METHODS, TASKS = rows("methods", "methods"), rows("tasks", "tasks")


def test_the_readme_lists_every_method_under_its_family() -> None:
    listed = {
        cells[0].replace(" ", "_"): CODE.findall(cells[1]) for cells in table(section("README.md", "Methods"))[2:]
    }
    families = {family: {name for name, row in METHODS.items() if row["family"] == family} for family in listed}
    assert {family: set(names) for family, names in listed.items()} == families
    assert sum(map(len, families.values())) == len(METHODS)


def test_the_readme_lists_every_environment() -> None:
    part = section("README.md", "What a run does")
    listed = CODE.findall("\n".join(cells[0] for cells in table(part[part.index("| `--env=`") :])[2:]))
    assert sorted(listed) == sorted({path.parent.name for path in (ROOT / "conf").glob("*/grid.yml")} - {"base"})


def test_the_page_of_methods_has_the_provider_and_type_of_each_row() -> None:
    part = text("docs/methods.md").partition("<!-- /results -->")[2]
    listed = {cells[0].strip("`"): cells[1] for cells in table(part) if cells[0].strip("`") in METHODS}
    trained = {name: row for name, row in METHODS.items() if row["family"] != "baseline"}
    assert listed == {name: f"{row['provider']}, {row['type']}" for name, row in trained.items()}


def test_each_row_and_grid_of_the_page_of_methods_is_one() -> None:
    blocks = [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text("docs/methods.md"), re.M | re.S)
    ]
    assert [sorted(block) for block in blocks] == [["methods"], ["lr_search"]]
    ((name, row),) = blocks[0]["methods"].items()
    providers.check(parse(MethodSpec, f"method '{name}'", {**row, "name": name}), tiny.skeleton("llama"))
    assert parse(LrSearchSpec, "lr_search", blocks[1]["lr_search"]).rates(1.0) == (0.2, 1.0, 5.0)


def test_the_rows_whose_weights_are_dropped_are_read_as_the_page_has_them() -> None:
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```", section("docs/provenance.md", "Weights that are not kept"), re.M | re.S
    )
    for name, row in yaml.safe_load(block)["methods"].items():
        assert parse(MethodSpec, name, METHODS[name]).keep_weights
        assert not parse(MethodSpec, name, {**METHODS[name], **row}).keep_weights


def test_the_page_of_data_sets_counts_the_rows_and_places_each() -> None:
    assert f"{len(TASKS)} data sets for {len({row['type'] for row in TASKS.values()})} kinds of task" in text(
        "docs/datasets.md"
    )
    listed = [
        name
        for cells in table(section("docs/datasets.md", "Which split is scored"))[2:]
        for name in cells[1].split(", ")
    ]
    assert len(set(listed)) == len(listed) == len(TASKS)


def test_the_page_of_scores_names_every_metric() -> None:
    assert set(registry.METRICS) <= set(CODE.findall(section("docs/evaluation.md", "Metrics")))


def test_the_page_of_execution_names_every_limit() -> None:
    listed = {CODE.findall(cells[2])[0] for cells in table(section("docs/execution.md", "What is limited"))[2:]}
    assert listed == set(ExecutionSpec.model_fields) - {"enabled"}


def shown(command: str, page: str = "docs/provenance.md") -> list[list[str]]:
    """What a page shows below a command, line by line, each time that it stands there."""
    blocks = re.findall(r"^```console\n\$ (.*?)^```", text(page), re.DOTALL | re.MULTILINE)
    return [block.splitlines()[1:] for block in blocks if block.startswith(f"kedro {command}")]


def general(line: str) -> str:
    """A line without what another run has otherwise: ids, cells, tasks, numbers."""
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d.:+]+Z?", "RUN", line)
    line = re.sub(r"\b\w+\.\w+\.\w+\.s0\b", "CELL", line)
    return re.sub(r"\d+", "N", re.sub(r"rows of \w+:", "rows of TASK:", line))


def printed(result: Result) -> list[str]:
    return [general(line) for line in result.output.splitlines() if line]


def spoil(path: Path) -> None:
    """Flip a bit of a file, and of the other files with its content: they are one file until a folder is copied.

    In rows it is one of a prompt, so that they can still be read.
    """
    before = path.read_bytes()
    content = bytearray(before)
    prompt = b'"prompt": "'
    content[before.index(prompt) + len(prompt) if prompt in before else len(content) // 2] ^= 1
    for copy in [
        copy for copy in Path("data").rglob(f"*{path.suffix}") if copy.is_file() and copy.read_bytes() == before
    ]:
        copy.write_bytes(content)


def test_verify_prints_what_the_page_shows(recorded: Project) -> None:
    sound, spoilt = shown("verify")
    assert printed(recorded.kedro("verify")) == [general(line) for line in sound]
    cell = "tiny/mood/lora/s0"
    for path in (
        "03_primary/mood/adapted/*/adapted/train.parquet",
        f"06_models/{cell}/checkpoint/*/checkpoint/adapter_model.safetensors",
        f"07_model_output/{cell}/predictions.jsonl",
    ):
        spoil(only(path))
    assert printed(recorded.kedro("verify")) == [general(line) for line in spoilt]


def test_compare_prints_what_the_page_shows(recorded: Project) -> None:
    (lines,) = shown("compare")
    (run_id,) = ids()
    outcome = " ".join(printed(recorded.kedro("compare", run_id, run_id)))
    assert outcome == general(" ".join(lines)).partition(" Only the first run has")[0]


def test_reproduce_prints_what_the_page_shows() -> None:
    (lines,) = shown("reproduce")
    cell = Outcome(
        "bitfit.smollm2_135m.sst2.s0", EQUAL, EQUAL, EQUAL, {f"number {place}": (1, 1) for place in range(38)}
    )
    assert outcome_tables([cell]) == "\n".join(lines).partition("\n\n")[2]


def test_plan_prints_what_the_page_shows(recorded: Project) -> None:
    """Two cells have run and a third has failed; two methods have cells without a record."""
    took(LORA, lr_search_seconds=131.0, generate_seconds=15.0, checkpoint_bytes=1_859_871)
    took(ZERO, lr_search_seconds=0.0, generate_seconds=18.0, checkpoint_bytes=0)
    recorded.grid |= {"methods": ["zero_shot", "lora", "ia3"], "seeds": ["s0", "s1", "s2"]}
    failed = Path("data/07_model_output/tiny/mood/lora/s1/failure.json")
    failed.parent.mkdir()
    write_json(failed, {"type": "OutOfMemoryError", "reason": "CUDA out of memory"})
    (lines,) = shown("plan", "docs/workers.md")
    assert recorded.kedro("plan", "--workers=2").stdout.splitlines() == lines


def test_watch_prints_what_the_page_shows(recorded: Project) -> None:
    """One run goes on on this machine, and one has died."""
    lora = {"title": "lora · tiny · mood · s1", "phase": "training", "done": 70, "total": 90, "seconds": 91.0}
    ia3 = {"title": "ia3 · tiny · mood · s0", "phase": "generate", "done": 8, "total": 40, "seconds": 15.0}
    cells = {"cells": 20, "unchanged": 3, "made": 6, "failed": 1, "seconds": 754.0, "left": 1200.0}
    doing = [{"place": 0, **lora}, {"place": 1, **ia3}]
    begun(RUNS, "2026-11-29T12.00.00.000512Z", silent=-60.0, host="node7", pid=4711, **cells, doing=doing)
    few = {"cells": 20, "made": 2, "seconds": 60.0, "left": 120.0, "not_estimated": 4}
    died = [
        {"place": 0, "title": "lora · tiny · mood · s2", "phase": "training", "done": 5, "total": 90, "seconds": 20}
    ]
    begun(RUNS, "2026-11-29T12.10.00.000512Z", GONE, silent=184.6, host="node8", pid=815, **few, doing=died)
    for run_id in ids():
        shutil.rmtree(RUNS / run_id)
    (lines,) = shown("watch", "docs/workers.md")
    printed = recorded.kedro("watch", "--once").stdout
    assert re.sub("life .* ago", "life 3 min 05 s ago", printed).splitlines() == lines
