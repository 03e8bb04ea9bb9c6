"""How many cells run side by side on a machine, by what the cells need."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from kedro.io import DataCatalog
from kedro.pipeline import Node

from peft_pipelines.config import ModelSpec, parse
from peft_pipelines.running import crew_size as module
from peft_pipelines.running.crew_size import LIBRARIES, Rows, crew_size, needed
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit

ROW = {"name": "tiny", "dtype": "float32", "chat_template": True, "licence": "-", "citation": "-"}


def rows(folder: Path, method: str) -> Rows:
    """The rows of a cell on a tiny model in a folder."""
    if not (folder / "config.json").is_file():
        tiny.fresh("llama").save_pretrained(folder)
        tiny.tokenizer(tiny.CHATML).save_pretrained(folder)
    model = parse(ModelSpec, "model 'tiny'", {**ROW, "folder": str(folder)})
    return Rows(model, tiny.METHODS[method], tiny.training_args())


def some(*each: Rows) -> tuple[list[Plan], DataCatalog]:
    """Plans of cells with these rows, and the catalog that has them."""
    catalog, plans = DataCatalog(), []
    for number, one in enumerate(each):
        for kind, value in one._asdict().items():
            catalog[f"params:{kind}.{number}"] = value
        inputs = [f"params:{kind}.{number}" for kind in one._fields]
        unit = Unit(f"cell.{number}", (Node(max, inputs, f"{number}"),))
        plans.append(Plan(unit, State(unit, Path()), {}, list(unit.nodes), []))
    return plans, catalog


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A machine of four processors with more memory than anything needs; a test may change it."""
    found = {"cores": 4, "memory": 10**12}
    monkeypatch.setattr(module, "free_cores", lambda: found["cores"])
    monkeypatch.setattr(module, "free_memory", lambda: found["memory"])
    return found


def test_as_many_as_there_are_processors_and_cells(tmp_path: Path, machine: dict[str, int]) -> None:
    plans, catalog = some(*[rows(tmp_path, "lora")] * 6)
    assert [crew_size(None, plans[:count], catalog) for count in range(6)] == [1, 1, 2, 3, 4, 4]
    machine["cores"] = 1
    assert crew_size(None, plans, catalog) == 1


def test_threads_take_processors(tmp_path: Path, machine: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    plans, catalog = some(*[rows(tmp_path, "lora")] * 6)
    for threads, size in {"2": 2, "3": 1, "9": 1}.items():
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        assert crew_size(None, plans, catalog) == size


def test_what_is_asked_for_is_done_if_there_are_cells(tmp_path: Path, machine: dict[str, int]) -> None:
    machine.update(cores=1, memory=1)
    plans, catalog = some(*[rows(tmp_path, "lora")] * 6)
    assert [crew_size(asked, plans, catalog) for asked in (1, 2, 50)] == [1, 2, 6]
    assert crew_size(2, [], catalog) == 1


def test_memory_decides_by_what_the_largest_cell_trains(tmp_path: Path, machine: dict[str, int]) -> None:
    light, heavy = rows(tmp_path, "lora"), rows(tmp_path, "full")
    catalog = DataCatalog()
    room, bound = needed(light, catalog, exactly=True), needed(light, catalog, exactly=False)
    assert LIBRARIES < room < bound == needed(heavy, catalog, exactly=False)
    for memory, size in {room - 1: 1, room: 1, 2 * room: 2, 3 * room + 1: 3, 4 * bound: 4}.items():
        machine["memory"] = memory
        assert crew_size(None, *some(*[light] * 6)) == size
    machine["memory"] = 2 * room
    assert crew_size(None, *some(light, light, heavy)) == 1


def test_weights_count_in_the_precision_they_are_loaded_in(tmp_path: Path) -> None:
    full = needed(rows(tmp_path, "lora"), DataCatalog(), exactly=False)
    tiny.fresh("llama").bfloat16().save_pretrained(tmp_path)
    stored_in_half = rows(tmp_path, "lora")
    assert needed(stored_in_half, DataCatalog(), exactly=False) == full
    half = stored_in_half._replace(model=stored_in_half.model.model_copy(update={"dtype": "bfloat16"}))
    numbers = sum(weight.numel() for weight in tiny.fresh("llama").parameters())
    assert full - needed(half, DataCatalog(), exactly=False) == 2 * numbers


TRAINING = """
import sys, tempfile
from pathlib import Path
from peft_pipelines.config import MethodSpec, ModelSpec, TrainingSpec
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.trial import TrialSetup
kinds = (ModelSpec, MethodSpec, TrainingSpec)
model, method, arguments = (kind.model_validate_json(text) for kind, text in zip(kinds, sys.argv[1:]))
base = base_model.load(model, Path(model.folder))
attached = providers.attach(base_model.clone(base.model), method, 0)
ids = [[(13 * row + 7 * place) % 256 for place in range(arguments.max_length - 2)] for row in range(16)]
rows = [Encoded(each, [5, 6], False) for each in ids]
with tempfile.TemporaryDirectory() as state:
    setup = TrialSetup(rows, rows[:2], arguments, Shortcuts.of(attached, arguments), 0, 0)
    setup.fit(attached, 1e-4, Path(state, "state"), "train")
status = Path("/proc/self/status").read_text()
print(1024 * int(status.partition("VmHWM:")[2].split()[0]))
"""
"""A training whose batches are as large as they may be, which prints the most memory that its process has had; the
kernel's account for getrusage would begin with the process that started it."""


def peak(rows: Rows) -> int:
    """The bytes that a process has needed for a training."""
    given = [each.model_dump_json() for each in (rows.model, rows.method, rows.training_args.overridden(rows.method))]
    run = subprocess.run([sys.executable, "-c", TRAINING, *given], capture_output=True, text=True, check=True)
    return int(run.stdout.splitlines()[-1])


ARGUMENTS = tiny.training_args(max_length=128, evaluations=1)


def test_the_estimate_for_a_tiny_model_is_right(tmp_path: Path) -> None:
    light = rows(tmp_path, "lora")._replace(training_args=ARGUMENTS)
    assert needed(light, DataCatalog(), exactly=True) == pytest.approx(peak(light), rel=0.2)


@pytest.mark.parametrize("name", ["lora", pytest.param("full", marks=pytest.mark.slow)])
def test_the_estimate_for_a_real_model_is_right(name: str, base_folder: Path) -> None:
    model = parse(ModelSpec, "model 'real'", {**ROW, "name": "real", "folder": str(base_folder)})
    found = Rows(model, tiny.METHODS[name], ARGUMENTS)
    assert needed(found, DataCatalog(), exactly=True) == pytest.approx(peak(found), rel=0.2)
