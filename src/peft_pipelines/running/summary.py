"""How a run ends: the result table, and where the files are."""

from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines.files import names
from peft_pipelines.running.units import place

TABLES = (names.DATA_REPORT_TEXT, names.RESULTS_TABLE)


def closing(pipeline: Pipeline, catalog: DataCatalog, project: Path) -> str:
    """The tables that people read and the files beside them; empty where the pipeline makes no table."""
    made = [name for node in pipeline.nodes for name in node.outputs]
    shown = [name for name in TABLES if name in made and catalog.exists(name)]
    if not shown:
        return ""
    folders = {path.parent for name in shown if (path := place(catalog, name))}
    files = [_file(catalog, name) for name in made if (path := place(catalog, name)) and path.parent in folders]
    written = sorted(str(path.relative_to(project) if path.is_relative_to(project) else path) for path in files)
    texts = [catalog.load(name).strip() for name in shown]
    return "\n".join(["", *[f"{text}\n" for text in texts], "Written:", *[f"  {path}" for path in written]])


def _file(catalog: DataCatalog, name: str) -> Path:
    dataset = catalog.get(name)
    assert isinstance(dataset, AbstractVersionedDataset)
    return Path(dataset._get_load_path())
