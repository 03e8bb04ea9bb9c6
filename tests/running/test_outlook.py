"""What a run would do, foreseen on cells that take no time; nothing runs and nothing is written."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from trivial import CALLS, ERRORS, PARAMETERS, catalog, pipeline, ran

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import outlook as module
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.outlook import Outlook, outlook

ALL = ["construct", "train", "score"]


@pytest.fixture(autouse=True)
def _no_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rows of these cells are no rows of the project: there is nothing to try them on."""
    monkeypatch.setattr(module, "check", lambda inputs, found: None)
    yield
    ERRORS.clear()


def foreseen(found: DataCatalog, tags: list[str] | None = None) -> Outlook:
    """The outlook; that it has run and written nothing is part of each test."""
    nodes = pipeline()
    folder = Path(found.get("results")._filepath).parent  # type: ignore[union-attr]
    before = files(folder)
    CALLS.clear()
    seen = outlook(nodes.filter(tags=tags) if tags else nodes, found)
    assert (CALLS, files(folder)) == ([], before)
    return seen


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def steps(found: Outlook) -> dict[str, list[str]]:
    return {cell.unit.tag.removeprefix("cell."): cell.steps for cell in found.cells}


def changed(**values: Any) -> dict[str, Any]:
    return deepcopy(PARAMETERS) | values


def test_without_a_run_all_is_to_make(tmp_path: Path) -> None:
    found = foreseen(catalog(tmp_path))
    assert steps(found) == dict.fromkeys(["b.m.y.s0", "b.m.x.s0", "a.m.y.s0", "a.m.x.s0"], ALL)
    assert found.tasks == ["y", "x"]
    assert not any(cell.open or cell.failure for cell in found.cells)


def test_what_stands_is_skipped_also_without_its_remembered_hashes(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    for path in tmp_path.rglob("checked.json"):
        path.unlink()
    found = foreseen(catalog(tmp_path, version="2"))
    assert (found.to_make, found.tasks, len(found.cells)) == ([], [], 4)


def test_a_changed_row_leaves_the_steps_that_a_run_would_make(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    methods = PARAMETERS["methods"] | {"a": {"name": "a", "rate": 0.5}}
    for version, parameters in {"2": changed(methods=methods), "3": changed(methods=methods, scale=10)}.items():
        found = steps(foreseen(catalog(tmp_path, parameters, version)))
        made = ran(pipeline(), catalog(tmp_path, parameters, version))
        assert sum(map(len, found.values())) == len(made) > 0
        assert {len(each) for each in found.values()} == ({0, 3} if version == "2" else {1})


def test_cells_behind_changed_data_are_open_not_stale(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "raw" / "x.json").write_text("60")
    found = foreseen(catalog(tmp_path, version="2"))
    assert found.tasks == ["x"]
    assert [cell.unit.names[2] for cell in found.cells if cell.open] == ["x", "x"]
    assert all(cell.open for cell in found.to_make)


def test_a_cell_that_failed_is_to_make_and_says_why(tmp_path: Path) -> None:
    ERRORS["train.a.x"] = ValueError("no")
    with pytest.raises(PartsFailed):
        ran(pipeline(), catalog(tmp_path))
    (cell,) = foreseen(catalog(tmp_path, version="2")).to_make
    assert cell.failure is not None
    assert (cell.failure.line, cell.steps) == ("a · m · x · s0: ValueError: no", ALL)


def test_a_damaged_cell_is_to_make_and_stays_where_it_is(tmp_path: Path) -> None:
    ran(pipeline(), catalog(tmp_path))
    (tmp_path / "m/x/a/s0/metrics.json").write_text("{}")
    (cell,) = foreseen(catalog(tmp_path, version="2")).to_make
    assert (cell.unit.tag, cell.steps) == ("cell.a.m.x.s0", ["score"])


def test_cells_without_data_and_without_the_nodes_that_make_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run the pipeline data first"):
        foreseen(catalog(tmp_path), ["cell.a.m.x.s0"])


def test_what_is_downloaded_first_makes_its_readers_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(pipeline(), catalog(tmp_path))
    monkeypatch.setattr(module, "missing", lambda inputs, found: {"x_raw": "rows of task 'x'"})
    monkeypatch.setattr(module, "check", lambda inputs, found: pytest.fail("nothing to try rows on"))
    found = foreseen(catalog(tmp_path, version="2"))
    assert (found.tasks, list(found.downloads.values())) == (["x"], ["rows of task 'x'"])
    assert {cell.unit.names[2] for cell in found.to_make} == {"x"}
