"""The report with one node that raises: what failed is named everywhere, and the rest stands."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
from kedro.pipeline.node import Node
from project import Project

from peft_pipelines.config import Grid
from peft_pipelines.files.names import DATA_REPORT, RESULTS
from peft_pipelines.pipelines.grid import pipelines_of
from peft_pipelines.reporting import comparisons, details
from peft_pipelines.running.units import place

GRID = {"methods": ["zero_shot", "bitfit"], "models": ["tiny"], "tasks": ["mood", "other"], "seeds": ["s0"]}
PIPELINES = pipelines_of(Grid.model_validate(GRID))
NODES = {node.name: node for node in PIPELINES["report"].nodes}
NEED_THE_TABLE = {"summarise", "write_table", "latex", "rank", "plot", "plot_costs", "page"}
REPORT = Path("data/08_reporting")
LOG = REPORT / "failed_parts.log"


class Trained:
    """A project of two methods and two tasks whose cells are done; only its report is run."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files = self.made()
        bootstrap_project(project.folder)
        with settings.SESSION_CLASS.create(project.folder, runtime_params={"store": "data"}) as session:
            self.catalog = session.load_context().catalog
        self.table = self.scores()

    def report(self, *pipelines: str) -> Result:
        return self.project.kedro("run", f"--pipelines={','.join(pipelines or ['report'])}")

    def made(self) -> dict[str, bytes]:
        """The content of each file of the report by its path, without versions and records of runs."""
        found = [path for path in REPORT.rglob("*") if path.is_file() and "runs" not in path.parts]
        return {str(path): path.read_bytes() for path in found if "results.parquet" not in path.parts}

    def scores(self) -> dict[tuple[str, str], float]:
        rows = pd.read_csv(REPORT / "results.csv")
        return dict(zip(zip(rows["method"], rows["task"], strict=True), rows["primary"], strict=True))

    def files_of(self, names: set[str]) -> set[str]:
        """The files that nodes make, without the versions of the table."""
        paths = [place(self.catalog, output) for name in names for output in NODES[name].outputs if output != RESULTS]
        return {str(path.relative_to(self.project.folder)) for path in paths if path}

    def manifest(self) -> dict[str, Any]:
        """The newest run's."""
        found: dict[str, Any] = json.loads(max((REPORT / "runs").glob("*/manifest.json")).read_text())
        return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PEFT_DIR", str(folder / "methods"))
        project = Project(folder)
        project.grid = GRID
        project.parameters["tasks"]["other"] = {**project.task, "instruction": "Is it good?"}
        shutil.copytree("raw/mood", "raw/other")
        result = project.kedro("run")
        assert result.exit_code == 0, result.output
        yield Trained(project)


def spoil(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Make the nodes of these names raise."""
    run = Node.run

    def spoilt(self: Node, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
        if self.name in names:
            raise ValueError(f"no {self.name}\ntoday")
        return run(self, inputs)

    patch.setattr(Node, "run", spoilt)


@pytest.mark.parametrize("name", NODES)
def test_a_node_that_raises_costs_only_what_it_makes(
    name: str, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, name)
    result = trained.report()
    assert (result.exit_code, "Traceback" in result.output) == (1, False), result.output
    reason = f"{name}: ValueError: no {name} today"
    assert f"report: {reason}" in result.stderr.splitlines()
    behind = NEED_THE_TABLE if name == "tabulate" else set()
    lost = [line for line in result.stderr.splitlines() if line.startswith("  ")]
    assert sorted(line.split(":")[0].strip() for line in lost) == sorted({name, *behind})
    assert f"  {reason} (see {LOG.resolve()})" in lost
    assert f"{len(lost)} part{'s' * bool(behind)} of the report failed" in result.stderr
    assert 'raise ValueError(f"no {self.name}' in LOG.read_text()

    gone = trained.files_of({name, *behind})
    made = trained.made()
    assert set(trained.files) - set(made) == gone
    written = {line.strip() for line in result.stdout.partition("Written:")[2].splitlines()}
    assert written.isdisjoint(gone)
    for page in {str(REPORT / "report.html"), str(REPORT / "results.md")} - gone:
        assert reason in made[page].decode()
    if "results.md" not in str(gone):
        assert "zero_shot" in result.stdout or name == "zero_shot.collect"
        lost_rows = {pair for pair in trained.table if name in (f"{pair[0]}.collect", f"{pair[0]}.{pair[1]}-{pair[0]}")}
        kept = {pair: score for pair, score in trained.table.items() if pair not in lost_rows}
        assert kept.items() <= trained.scores().items()

    record = trained.manifest()
    assert (record["status"], record["failed_parts"][0]["node"]) == ("report failed", name)
    assert ("results" in record) == (name != "tabulate")


def test_a_run_without_the_error_is_whole_again(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        spoil(patch, "adjust_p_values", "page", "majority.other-majority", "bitfit.details")
        assert trained.report().exit_code == 1
    result = trained.report()
    assert result.exit_code == 0, result.output
    assert trained.made() == trained.files
    assert (trained.manifest()["status"], trained.manifest().get("failed_parts")) == ("done", None)


def test_the_report_on_the_data_costs_no_table(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = [node.name for node in PIPELINES["data"].nodes if DATA_REPORT in node.outputs]
    spoil(monkeypatch, name)
    result = trained.report("data", "report")
    assert result.exit_code == 1
    assert trained.scores() == trained.table
    assert set(trained.files) - set(trained.made()) == {
        str(REPORT / "data_report.json"),
        str(REPORT / "data_report.md"),
    }


def test_an_error_on_one_task_leaves_the_others_comparisons(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    resampled = comparisons.resampled

    def spoilt(task: Any, metrics: Any, *rest: Any) -> dict[str, Any]:
        if task.name == "mood" and metrics == [task.primary]:
            raise ZeroDivisionError("mood has no items")
        return resampled(task, metrics, *rest)

    monkeypatch.setattr(comparisons, "resampled", spoilt)
    result = trained.report()
    assert result.exit_code == 1
    assert "  compare, tiny · mood: ZeroDivisionError: mood has no items (see " in result.stderr
    assert [entry["task"] for entry in json.loads((REPORT / "comparisons.json").read_text())] == ["other"]
    assert set(pd.read_csv(REPORT / "differences.csv")["task"]) == {"other"}
    assert trained.scores() == trained.table
    assert "compare, tiny · mood: ZeroDivisionError" in (REPORT / "report.html").read_text()


def test_an_error_in_one_cell_leaves_the_methods_other_cells(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = details.detail

    def spoilt(cell: str, *rest: Any) -> dict[str, Any]:
        if cell == "tiny.mood.s0" and rest[2].record["method"]["name"] == "bitfit":
            raise KeyError("log")
        return whole(cell, *rest)

    monkeypatch.setattr(details, "detail", spoilt)
    result = trained.report()
    assert result.exit_code == 1
    assert "  bitfit.details, tiny.mood.s0: KeyError: 'log' (see " in result.stderr
    assert set(json.loads((REPORT / "details/bitfit.json").read_text())) == {"tiny.other.s0"}
    assert (REPORT / "comparisons.json").read_bytes() == trained.files[str(REPORT / "comparisons.json")]


def test_kedros_own_runner_raises_at_the_first_error(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        spoil(patch, "page")
        assert trained.report().exit_code == 1
    monkeypatch.setattr(details, "detail", lambda *parts: {}["nothing"])
    result = trained.project.kedro("run", "--pipelines=report", "--runner=SequentialRunner")
    assert (result.exit_code, type(result.exception)) == (1, KeyError)
    assert not (REPORT / "failed_parts.json").exists()
    assert trained.manifest()["status"] == "failed"


def test_a_run_of_some_nodes_keeps_the_failures_of_others(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    (REPORT / "failed_parts.json").unlink(missing_ok=True)  # what the tests before have left
    with monkeypatch.context() as patch:
        spoil(patch, "rank")
        assert trained.report().exit_code == 1
    assert trained.project.kedro("run", "--pipelines=report", "--nodes=plot").exit_code == 0
    assert [entry["node"] for entry in json.loads((REPORT / "failed_parts.json").read_text())] == ["rank"]
    assert LOG.is_file()
    assert "failed_parts" not in trained.manifest()
    with monkeypatch.context() as patch:
        spoil(patch, "plot")
        assert trained.project.kedro("run", "--pipelines=report", "--nodes=plot").exit_code == 1
    assert [entry["node"] for entry in trained.manifest()["failed_parts"]] == ["plot"]
    assert trained.report().exit_code == 0
