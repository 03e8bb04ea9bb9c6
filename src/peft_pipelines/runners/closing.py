"""How a run ends: the result table, and where the files are."""

from pathlib import Path

from kedro.io import AbstractVersionedDataset, DataCatalog
from kedro.pipeline import Pipeline

TABLE = "results_table"


def closing(pipeline: Pipeline, catalog: DataCatalog, project: Path) -> str:
    """The table that people read and the files beside it; empty where the pipeline makes no table."""
    maker = next((node for node in pipeline.nodes if TABLE in node.outputs), None)
    if maker is None or not catalog.exists(TABLE):
        return ""
    inputs = {name for node in pipeline.nodes for name in node.inputs}
    made = [name for node in pipeline.nodes for name in node.outputs if name not in inputs or name in maker.outputs]
    files = [_path(catalog, name) for name in made if catalog.exists(name)]
    shown = [str(path.relative_to(project) if path.is_relative_to(project) else path) for path in files if path]
    return "\n".join(["", catalog.load(TABLE).strip(), "", "Written:", *[f"  {path}" for path in sorted(shown)]])


def _path(catalog: DataCatalog, name: str) -> Path | None:
    dataset = catalog.get(name)
    return Path(dataset._get_load_path()) if isinstance(dataset, AbstractVersionedDataset) else None
