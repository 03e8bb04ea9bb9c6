"""A finished cell as a store has it on record: its checkpoint, and the rows that its answers were made by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog, DatasetError

from peft_pipelines.config import AXES, Cell, Grid, MethodSpec, ModelSpec, TaskSpec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import names
from peft_pipelines.files.status import Status
from peft_pipelines.running import handed_on
from peft_pipelines.running.state import FAILURE, State
from peft_pipelines.running.units import Unit, place
from peft_pipelines.storage.checkpoint import Checkpoint, CheckpointFolder
from peft_pipelines.storage.dropped import dropped_from
from peft_pipelines.storage.hashes import cached_sha256
from peft_pipelines.tracking.runs import Run, find, runs_folder


@dataclass(frozen=True)
class RecordedCell:
    """A finished cell.

    Attributes:
        cell: its four names.
        run: the run that its answers are on record with; its rows are the ones that follow.
        checkpoint: the handle, of the version on record.
        task: the task's row.
        method: the method's row.
        model: the base model's row, with the folder of today's configuration.
        training: the training arguments of all methods.
        seed: the number behind the seed's name.
    """

    cell: Cell
    run: Run
    checkpoint: Checkpoint
    task: TaskSpec
    method: MethodSpec
    model: ModelSpec
    training: TrainingSpec
    seed: int

    @property
    def training_args(self) -> TrainingSpec:
        """The training arguments, those of the method over them."""
        return self.training.overridden(self.method)

    @property
    def version(self) -> str:
        """The checkpoint's version: the id of the run that trained it."""
        return self.checkpoint.folder.parent.name


def cell_of(given: Sequence[str], known: Mapping[str, Collection[str]]) -> Cell:
    """Return the cell of four names, given apart or as ``METHOD.MODEL.TASK.SEED``.

    Args:
        given: the names.
        known: by axis the names of the configured rows, such as the parameters of a catalog.

    Raises:
        ConfigError: there are not four, or one is no row's; the nearest name is suggested.

    >>> rows = {"methods": ["lora"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    >>> cell_of(["lora.tiny.mood.s0"], rows).task
    'mood'
    """
    parts = [name for part in given for name in part.split(".")]
    if len(parts) != len(AXES):
        raise ConfigError(f"cell: must be METHOD MODEL TASK SEED or METHOD.MODEL.TASK.SEED, got '{' '.join(given)}'")
    for axis, name in zip(AXES, parts, strict=True):
        if name not in known[axis]:
            raise unknown("cell", axis.removesuffix("s"), name, sorted(known[axis]))
    method, model, task, seed = parts
    return Cell(method=method, model=model, task=task, seed=seed)


def recorded_cell(catalog: DataCatalog, cell: Cell, run_id: str | None = None) -> RecordedCell:
    """Return a cell as it is on record now, or as a run has it on record.

    Raises:
        ConfigError: the cell has failed, was not made or is not finished, its checkpoint is gone, has no
            weights any more or differs from the record, or the run is unknown or does not have it.
    """
    found = _of_run(catalog, cell, run_id) if run_id else _of_store(catalog, cell)
    name = names.artifact(cell, names.CHECKPOINT)
    handed_on.hand_on(catalog, {name: found.version})
    dataset = catalog.get(name)
    if not isinstance(dataset, CheckpointFolder) or not dataset.exists():
        gone = f"its checkpoint of version {found.version} is gone"
        raise ConfigError(f"cell '{cell.id}': {gone}; `kedro run` makes it again")
    folder = Path(dataset._get_load_path())
    if stub := dropped_from(folder):
        raise ConfigError(f"cell '{cell.id}': {stub.line}")
    _check_files(folder, found.hashes, cell)
    return _with_rows(catalog, cell, found.run, catalog.load(name))


@dataclass(frozen=True)
class _Found:
    run: Run
    version: str
    hashes: Mapping[str, str]


def _of_store(catalog: DataCatalog, cell: Cell) -> _Found:
    unit = Unit(names.cell_tag(cell.id), ())
    folder = unit.folder(catalog)
    try:
        numbers = catalog.load(names.artifact(cell, names.METRICS))
    except DatasetError as error:
        raise ConfigError(
            f"cell '{cell.id}': its numbers cannot be read: {' '.join(str(error).split()):.300}"
        ) from None
    state = State(unit, folder)
    if numbers is None:
        raise _missing(catalog, cell, folder, begun=bool(state.nodes))
    if "primary" not in numbers:
        raise ConfigError(
            f"cell '{cell.id}': has failed ({numbers['type']}: {numbers['reason']:.300}); see '{folder / FAILURE}'"
        )
    name = names.artifact(cell, names.CHECKPOINT)
    hashes = next((entry["sha256"][name] for entry in state.nodes.values() if name in entry["sha256"]), None)
    if not hashes:  # nothing to compare the checkpoint with
        raise _missing(catalog, cell, folder, begun=True)
    run = Run(runs_folder(catalog) / str(numbers.get("run_id")))
    return _Found(run, str(numbers["checkpoint"]), hashes)


def _missing(catalog: DataCatalog, cell: Cell, folder: Path, *, begun: bool) -> ConfigError:
    if begun:
        return ConfigError(f"cell '{cell.id}': is not finished; the same `kedro run` goes on with it")
    grid = parse(Grid, "grid.yml", catalog.load(names.parameter("grid")))
    made = [one.id for one in grid.cells() if _has_numbers(catalog, one)]
    return ConfigError(
        f"cell '{cell.id}': has not been made (looked in '{folder}'). Of this grid there are: "
        f"{', '.join(made) or 'none'}"
    )


def _has_numbers(catalog: DataCatalog, cell: Cell) -> bool:
    path = place(catalog, names.artifact(cell, names.METRICS))
    return path is not None and path.is_file()


def _of_run(catalog: DataCatalog, cell: Cell, run_id: str) -> _Found:
    run = find(catalog, run_id)
    if cell.id not in run.cells:
        raise unknown(f"run '{run.id}'", "cell", cell.id, run.cells)
    entry = run.cells[cell.id]
    if entry["status"] != Status.DONE:
        reason = f" ({entry['reason']:.300})" if "reason" in entry else ""
        raise ConfigError(f"run '{run.id}', cell '{cell.id}': its status is '{entry['status']}'{reason}")
    artifact = entry["artifacts"][names.CHECKPOINT]
    return _Found(run, artifact["version"], artifact["sha256"])


def _check_files(folder: Path, hashes: Mapping[str, str], cell: Cell) -> None:
    """Raise ConfigError for a file of a checkpoint that is not as it was saved."""
    for name, digest in hashes.items():
        path = folder / name
        if not path.is_file() or cached_sha256(path) != digest:
            what = "differs from the record" if path.is_file() else "is gone"
            raise ConfigError(f"cell '{cell.id}': its file '{path}' {what}; `kedro run` makes it again")


def _with_rows(catalog: DataCatalog, cell: Cell, run: Run, checkpoint: Checkpoint) -> RecordedCell:
    """The cell with the rows of its run.

    A model's folder is today's, since a store may have been moved; so are training arguments that an earlier release
    did not have.
    """
    rows, where, today = run.rows, f"run '{run.id}'", catalog.load(names.PARAMETERS)
    model = rows["models"][cell.model]
    if model.get("folder") and cell.model in today["models"]:
        now = parse(ModelSpec, f"model '{cell.model}'", today["models"][cell.model])
        model = {**model, "folder": now.folder}
    training = {**parse(TrainingSpec, "training", today["training"]).model_dump(), **rows["training"]}
    return RecordedCell(
        cell=cell,
        run=run,
        checkpoint=checkpoint,
        task=parse(TaskSpec, f"{where}, task '{cell.task}'", rows["tasks"][cell.task]),
        method=parse(MethodSpec, f"{where}, method '{cell.method}'", rows["methods"][cell.method]),
        model=parse(ModelSpec, f"{where}, model '{cell.model}'", model),
        training=parse(TrainingSpec, f"{where}, training", training),
        seed=int(rows["seeds"][cell.seed]),
    )
