"""The notebook as a person runs it: every cell in a kernel, on a store with results in it."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from made import Made, free, labelled
from nbclient import NotebookClient

from peft_pipelines.reporting.comparisons import adjust_p_values
from peft_pipelines.reporting.ranks import rank

PROJECT = Path(__file__).parents[2]
NOTEBOOK = PROJECT / "notebooks/results.ipynb"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results, differences and ranks, written through the project's own catalog."""
    folder = tmp_path_factory.mktemp("notebook")
    made = Made(folder / "cells", {"base": 0.1, "good": 0.9, "poor": 0.4}, [labelled(), free()])
    where = {"store": str(folder / "store")}
    loader = OmegaConfigLoader(str(PROJECT / "conf"), runtime_params=where, base_env="base", default_run_env="local")
    catalog = DataCatalog.from_config(loader["catalog"], save_version="2026-01-01T00.00.00.000Z")
    differences = adjust_p_values(made.compared())
    results = made.table(differences)
    for name, value in {"results": results, "differences": differences, "ranks": rank(results)[0]}.items():
        catalog.save(name, value)
    return folder / "store"


def test_the_notebook_lies_there_without_outputs() -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


def test_every_cell_runs_and_draws(store: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace('STORE = "data"', f"STORE = {str(store)!r}")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    shown: list[dict[str, Any]] = [
        output.data
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "data" in output
    ]
    plots = [data["application/vnd.plotly.v1+json"] for data in shown if "application/vnd.plotly.v1+json" in data]
    titles = [plot["layout"]["xaxis"]["title"]["text"] for plot in plots]
    assert titles[0] == "percent; dashed: majority"
    assert titles[1] == "trainable parameters"
    assert titles[2].startswith("average rank, 1 is best")
    tables = [data["text/html"] for data in shown if "<table" in data.get("text/html", "")]
    assert len(tables) == 2
    assert "primary_low" in tables[0] and "p_holm" in tables[1] and "good" in tables[1]
