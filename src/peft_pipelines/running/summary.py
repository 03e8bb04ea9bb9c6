"""The end of a run on the screen: its tables, and where its files are."""

from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines.files import names
from peft_pipelines.running.report_runner import failed_parts, lost
from peft_pipelines.running.units import place

TABLES = (names.DATA_REPORT_TEXT, names.RESULTS_TABLE)


def tables_and_files(pipeline: Pipeline, catalog: DataCatalog, project: Path) -> str:
    """Return the text of the tables that a run has made and the paths of the files beside them.

    It is empty where the pipeline makes no table. Paths in the project are relative to its folder.
    """
    made = {name for node in pipeline.nodes for name in node.outputs}
    shown = [name for name in TABLES if name in made and catalog.exists(name)]
    if not shown:
        return ""
    folders = {path.parent for name in shown if (path := place(catalog, name))}
    made -= lost(failed_parts(catalog))
    files = [_file(catalog, name) for name in made if (path := place(catalog, name)) and path.parent in folders]
    written = sorted(str(path.relative_to(project) if path.is_relative_to(project) else path) for path in files)
    texts = [catalog.load(name).strip() for name in shown]
    return "\n".join(["", *[f"{text}\n" for text in texts], "Written:", *[f"  {path}" for path in written]])


def _file(catalog: DataCatalog, name: str) -> Path:
    dataset = catalog.get(name)
    assert isinstance(dataset, AbstractVersionedDataset)
    return Path(dataset._get_load_path())
