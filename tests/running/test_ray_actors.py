"""How many workers a cluster has room for, and what they are given, without a cluster."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import ray_actors
from peft_pipelines.running.crew_size import LIBRARIES
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.ray_actors import Actors, room
from peft_pipelines.running.state import State
from peft_pipelines.running.units import Unit

GB = 10**9
NODES = [{"CPU": 4.0, "GPU": 2.0, "memory": 6e9}, {"CPU": 2.0, "memory": 12e9}, {"memory": 99e9}]


@pytest.mark.parametrize(
    ("cpus", "gpus", "memory", "workers"),
    [
        (1, 0, 0, [4, 2, 0]),
        (2, 0, 0, [2, 1, 0]),
        (1, 1, 0, [2, 0, 0]),
        (1, 2, 0, [1, 0, 0]),
        (1, 0.5, 0, [4, 0, 0]),
        (1, 0.7, 0, [2, 0, 0]),
        (1, 0, 3 * GB, [2, 2, 0]),
        (1, 0.5, 3 * GB, [2, 0, 0]),
        (1, 0, 7 * GB, [0, 1, 0]),
    ],
)
def test_a_node_takes_what_fits_whole(cpus: int, gpus: float, memory: int, workers: list[int]) -> None:
    assert [room(node, cpus, gpus, memory) for node in NODES] == workers


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """A cluster of these nodes; the addresses by which it is asked for."""
    asked: list[str | None] = []

    @contextmanager
    def connected(address: str | None) -> Iterator[list[Mapping[str, float]]]:
        asked.append(address)
        yield NODES

    monkeypatch.setattr(ray_actors, "connected", connected)
    return asked


def staffed(actors: Actors, cells: int) -> int:
    plans = [Plan(Unit(f"cell.{number}", ()), State(Unit("", ()), Path()), {}, [], []) for number in range(cells)]
    with actors.staffed(plans, DataCatalog()) as size:
        return size


def test_there_are_as_many_workers_as_fit_and_never_more_than_cells(cluster: list[str | None]) -> None:
    assert staffed(Actors(None, 0, "there"), 9) == 6
    assert staffed(Actors(None, 0.5, None), 3) == 3
    assert staffed(Actors(8, 0.5, None), 9) == 8
    assert cluster == ["there", None, None]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("asked", "size", "gpus", "workers", "taken"),
    [
        (None, 3 * GB, 0, 4, 3 * GB),
        (None, 12 * GB, 0, 1, 12 * GB),
        (None, 50 * GB, 0, 1, 12 * GB),
        (None, 50 * GB, 0.5, 4, LIBRARIES),
        (8, 50 * GB, 0, 8, 0),
    ],
)
def test_memory_is_looked_at_node_by_node_and_set_aside(
    asked: int | None, size: int, gpus: float, workers: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(ray_actors, "largest", lambda pending, catalog, suits: size)
    monkeypatch.setattr(ray_actors, "RayWorker", lambda place, share, memory, environment: given.append(memory))
    actors = Actors(asked, gpus, None)
    assert staffed(actors, 9) == workers
    actors.hire(0)
    assert given == [taken]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("asked", "gpus", "says"),
    [
        (3, 1, "2 of 3 workers now, the others wait for nodes: each takes 1 processor and 1 GPU"),
        (5, 0.7, "2 of 5 workers now, the others wait for nodes: each takes 1 processor and 0.7 of a GPU"),
        (7, 0, "6 of 7 workers now, the others wait for nodes: each takes 1 processor"),
        (2, 4, "0 of 2 workers now, the others wait for nodes: each takes 1 processor and 4 GPUs"),
        (6, 0, ""),
        (2, 1, ""),
    ],
)
def test_workers_that_wait_for_nodes_are_told_of(
    asked: int, gpus: float, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    staffed(Actors(asked, gpus, None), 9)
    assert capsys.readouterr().err == (f"the cluster has room for {says}\n" if says else "")


def test_nobody_looks_for_a_cluster_where_nothing_is_to_be_made(cluster: list[str | None]) -> None:
    assert staffed(Actors(None, 0, None), 0) == 0
    assert not cluster


@pytest.mark.usefixtures("cluster")
def test_a_cluster_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"num_gpus: no node .* has 4 GPUs free for a worker; .* give --workers$"):
        staffed(Actors(None, 4, None), 9)


def test_workers_have_the_variables_of_the_run_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(ray_actors, "RayWorker", lambda place, share, memory, environment: given.append(environment))
    for name in ("PEFT_DIR", "HF_HOME", "CUDA_VISIBLE_DEVICES", "SECRET"):
        monkeypatch.setenv(name, "here")
    Actors(None, 0.5, None).hire(0)
    Actors(None, 0, None).hire(0)
    shared, hidden = given
    assert (shared["PEFT_DIR"], shared["HF_HOME"]) == ("here", "here")
    assert not shared.keys() & {"SECRET", "CUDA_VISIBLE_DEVICES"}
    assert str(Path(ray_actors.__file__).parents[2]) in shared["PYTHONPATH"].split(os.pathsep)
    assert shared.pop("PEFT_GPU_SHARE") == "2"
    assert hidden == {**shared, "CUDA_VISIBLE_DEVICES": ""}
