"""The notebooks as a person runs them: every cell in a kernel, on a store with results or a project with samples."""

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from made import Made, free, labelled
from nbclient import NotebookClient
from project import ROOT, Project
from sampled import project, with_samples

from peft_pipelines.reporting.comparisons import adjust_p_values
from peft_pipelines.reporting.ranks import rank

__all__ = ["project", "with_samples"]

NOTEBOOKS = ROOT / "notebooks"
NAMES = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results, differences and ranks, written through the project's own catalog."""
    folder = tmp_path_factory.mktemp("notebook")
    made = Made(folder / "cells", {"base": 0.1, "good": 0.9, "poor": 0.4}, [labelled(), free()])
    where = {"store": str(folder / "store")}
    loader = OmegaConfigLoader(str(ROOT / "conf"), runtime_params=where, base_env="base", default_run_env="local")
    catalog = DataCatalog.from_config(loader["catalog"], save_version="2026-01-01T00.00.00.000Z")
    differences = adjust_p_values(made.compared())
    results = made.table(differences)
    for name, value in {"results": results, "differences": differences, "ranks": rank(results)[0]}.items():
        catalog.save(name, value)
    return folder / "store"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_lies_there_without_outputs(name: str) -> None:
    cells = [cell for cell in read(NOTEBOOKS / name).cells if cell.cell_type == "code"]
    assert cells and all(not cell.outputs and cell.execution_count is None for cell in cells)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def executed(notebook: Any, folder: Path) -> list[Any]:
    """The outputs of all cells, run one after another in a kernel that starts in a folder."""
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(outputs: list[Any]) -> list[dict[str, Any]]:
    """What cells show as their values, by media type."""
    return [output.data for output in outputs if "data" in output]


def test_every_cell_of_the_results_runs_and_draws(store: Path) -> None:
    notebook = read(NOTEBOOKS / "results.ipynb")
    for cell in notebook.cells:
        cell.source = cell.source.replace('STORE = "data"', f"STORE = {str(store)!r}")
    values = shown(executed(notebook, NOTEBOOKS))
    plots = [data["application/vnd.plotly.v1+json"] for data in values if "application/vnd.plotly.v1+json" in data]
    titles = [plot["layout"]["xaxis"]["title"]["text"] for plot in plots]
    assert titles[0] == "percent; dashed: majority"
    assert titles[1] == "trainable parameters"
    assert titles[2].startswith("average rank, 1 is best")
    tables = [data["text/html"] for data in values if "<table" in data.get("text/html", "")]
    assert len(tables) == 2
    assert "primary_low" in tables[0] and "p_holm" in tables[1] and "good" in tables[1]


def test_python_in_a_notebook_does_what_it_says(with_samples: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEDRO_LOGGING_CONFIG", raising=False)
    folder = with_samples.folder / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOKS / "python.ipynb", folder)
    outputs = executed(read(folder / "python.ipynb"), folder)
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "Written:" in printed and not re.search("INFO|WARNING|Warning|Traceback", printed), printed
    cells, table, done, answers, message, score, same = (data["text/plain"] for data in shown(outputs))
    assert cells == "['zero_shot.smollm2_135m.sst2.s0', 'lora.smollm2_135m.sst2.s0']"
    methods = ["majority", "random", "zero_shot", "lora"]
    assert [word for word in table.split() if word in methods] == methods and table.count("done") == len(methods)
    assert "checkpoint_bytes" in done
    assert "probability_negative" in answers and 0 <= float(score.removeprefix("np.float64(").rstrip(")")) <= 1
    assert same in ("True", "np.True_")
    assert message.startswith("\"cell: unknown method 'loar', did you mean 'lora'? Allowed: ")
    assert (with_samples.folder / "data/notebook/classifier/classifier.json").is_file()
