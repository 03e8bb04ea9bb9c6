"""What hooks are told of cells: the same wherever these are made, and nothing of those that stand."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.framework.hooks.markers import hook_impl
from trivial import catalog, fail, pipeline

from peft_pipelines.files import progress
from peft_pipelines.running.cell_events import CellEvents
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.display import Lines
from peft_pipelines.running.failures import PartsFailed


class Heard:
    """Hooks that note what they are told."""

    def __init__(self) -> None:
        self.cells: dict[str, str] = {}
        self.events: list[tuple[object, ...]] = []

    @hook_impl
    def on_cells_planned(self, cells: dict[str, str]) -> None:
        self.cells = cells

    @hook_impl
    def on_cell_begin(self, cell: str) -> None:
        self.events.append(("begin", cell))

    @hook_impl
    def on_cell_logged(self, cell: str, phase: str, entry: Mapping[str, float]) -> None:
        self.events.append(("log", cell, phase, dict(entry)))

    @hook_impl
    def on_cell_end(self, cell: str, failed: bool) -> None:
        self.events.append(("end", cell, failed))


CELLS = [f"{method}.m.{task}.s0" for method in "ab" for task in "xy"]


def told(folder: Path, workers: int) -> Heard:
    heard, manager = Heard(), _create_hook_manager()
    manager.register(heard)
    with suppress(PartsFailed):
        CellRunner(workers=workers).run(pipeline(), catalog(folder), manager)
    return heard


@pytest.mark.parametrize("workers", [1, 2])
def test_each_cell_begins_and_ends_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    fail(monkeypatch, train_b_x="raise")
    heard = told(tmp_path, workers)
    assert sorted(heard.cells) == CELLS and len({*heard.cells.values()}) == len(CELLS)
    begun = [("begin", cell) for cell in CELLS]
    ended = [("end", cell, cell == "b.m.x.s0") for cell in CELLS]
    assert sorted(heard.events, key=str) == sorted([*begun, *ended], key=str)
    assert all(heard.events.index(first) < heard.events.index(last) for first, last in zip(begun, ended, strict=True))
    assert [event for event in told(tmp_path, workers).events if event[1] != "b.m.x.s0"] == []


def test_what_is_logged_is_the_cells_at_its_place() -> None:
    heard, manager = Heard(), _create_hook_manager()
    manager.register(heard)
    with Lines(lambda _: None) as shown:
        shown.events = CellEvents(manager)
        shown.events._cells = {"a · m · x · s0": "a.m.x.s0", "b · m · x · s0": "b.m.x.s0"}
        shown.begin("a · m · x · s0", 0)
        shown.begin("b · m · x · s0", 1)
        progress.log("train", {"step": 1, "loss": 0.5})
        shown.log("train", {"step": 2, "loss": 0.4}, 1)
        shown.begin("report", 0)
        progress.log("train", {"step": 3, "loss": 0.5})
    progress.log("train", {"step": 4, "loss": 0.5})
    assert [event for event in heard.events if event[0] == "log"] == [
        ("log", "a.m.x.s0", "train", {"step": 1, "loss": 0.5}),
        ("log", "b.m.x.s0", "train", {"step": 2, "loss": 0.4}),
    ]


def test_hooks_that_ask_for_nothing_are_told_nothing(tmp_path: Path) -> None:
    manager = _create_hook_manager()
    CellRunner().run(pipeline(), catalog(tmp_path), manager)
    assert CellEvents(manager) and CellEvents(None)
