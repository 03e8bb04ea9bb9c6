"""How many cells run side by side on a machine, by what the cells need."""

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
