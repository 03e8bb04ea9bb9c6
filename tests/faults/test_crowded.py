"""Several runs at once in one store: no cell is made twice, none is lost, and each run prints a table of its own."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import begun, run_grid, run_side_by_side
from project import Project, project  # noqa: F401
from recorded import ids, manifest

from peft_pipelines.files.status import Status

STORE = Path("data")
Run = Callable[[Project, int, list[str]], None]


def crowd(project: Project, grids: list[list[str]], apart: float, run: Run = run_grid) -> list[str]:  # noqa: F811
    """The output of each of several runs, begun one after another."""
    runs = []
    for number, methods in enumerate(grids):
        runs.append(begun(run, project, number, methods))
        time.sleep(apart)
    for each in runs:
        each.join()
    texts = [path.read_text() for path in sorted(project.folder.glob("out*"))]
    assert [each.exitcode for each in runs] == [0] * len(grids), "\n".join(texts)
    return texts


def made(texts: list[str]) -> Counter[str]:
    """How often each cell was made: its line ends with seconds."""
    lines = [line.partition("] ")[2] for text in texts for line in text.splitlines() if line.startswith("[")]
    return Counter(line.split(":")[0] for line in lines if line.endswith(" s"))


def sound(project: Project, grids: list[list[str]], texts: list[str]) -> None:  # noqa: F811
    """Each cell was made once, each run is on record with all of its cells and its own table, and nothing is left."""
    assert made(texts) == {f"{method} · tiny · mood · s0": 1 for method in {name for grid in grids for name in grid}}
    assert len(ids()) == len(grids)
    recorded = [manifest(run_id) for run_id in ids()]
    assert {found["status"] for found in recorded} == {Status.DONE}
    for found in recorded:
        assert {cell["status"] for cell in found["cells"].values()} == {Status.DONE}
        assert {cell.split(".")[0] for cell in found["cells"]} == set(found["grid"]["methods"])
    for methods, text in zip(grids, texts, strict=True):
        table = text.partition("Written:")[0]
        assert all(f"| {method} " in table for method in methods), table
        others = {name for grid in grids for name in grid} - set(methods)
        assert not any(f"| {method} " in table for method in others), table
    left = [path for path in STORE.rglob("*") if path.name == "claim.json" or path.suffix == ".part"]
    assert left == []
    versions = [path for path in STORE.glob("06_models/*/*/*/*/checkpoint/*")]
    assert len(versions) == len({name for grid in grids for name in grid})
    last = json.loads((STORE / "08_reporting/runs" / ids()[-1] / "manifest.json").read_text())
    assert last["results"]["sha256"]


SAME = [["zero_shot", "lora", "bitfit"]] * 2
DIFFERENT = [["zero_shot", "lora"], ["lora", "bitfit"]]


@pytest.mark.parametrize("grids", [SAME, DIFFERENT], ids=["same grids", "different grids"])
def test_two_runs_share_a_store(project: Project, grids: list[list[str]]) -> None:  # noqa: F811
    sound(project, grids, crowd(project, grids, 0.5))


def test_two_runs_with_workers_share_a_store(project: Project) -> None:  # noqa: F811
    sound(project, DIFFERENT, crowd(project, DIFFERENT, 0.5, run_side_by_side))


@pytest.mark.slow
@pytest.mark.parametrize("apart", [0.0, 0.5])
def test_four_runs_share_a_store(project: Project, apart: float) -> None:  # noqa: F811
    grids = [SAME[0], DIFFERENT[0], DIFFERENT[1], ["ia3", "zero_shot"]]
    sound(project, grids, crowd(project, grids, apart))
