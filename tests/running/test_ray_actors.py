"""How many workers a cluster has room for, and what they are given, without a cluster."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running import ray_actors
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.ray_actors import Actors, room

NODES = [{"CPU": 4.0, "GPU": 2.0}, {"CPU": 2.0}, {"memory": 1e9}]


@pytest.mark.parametrize(
    ("cpus", "gpus", "workers"),
    [
        (1, 0, [4, 2, 0]),
        (2, 0, [2, 1, 0]),
        (1, 1, [2, 0, 0]),
        (1, 2, [1, 0, 0]),
        (1, 0.5, [4, 0, 0]),
        (1, 0.7, [2, 0, 0]),
    ],
)
def test_a_node_takes_what_fits_whole(cpus: int, gpus: float, workers: list[int]) -> None:
    assert [room(node, cpus, gpus) for node in NODES] == workers


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
    pending: list[Plan] = [None] * cells  # type: ignore[list-item]  (nobody looks into them)
    with actors.staffed(pending, DataCatalog()) as size:
        return size


def test_there_are_as_many_workers_as_fit_and_never_more_than_cells(cluster: list[str | None]) -> None:
    assert staffed(Actors(None, 0, "there"), 9) == 6
    assert staffed(Actors(None, 0.5, None), 3) == 3
    assert staffed(Actors(8, 0.5, None), 9) == 8
    assert cluster == ["there", None, None]


def test_nobody_looks_for_a_cluster_where_nothing_is_to_be_made(cluster: list[str | None]) -> None:
    assert staffed(Actors(None, 0, None), 0) == 0
    assert not cluster


@pytest.mark.usefixtures("cluster")
def test_a_cluster_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"num_gpus: no node .* has 4 GPUs free for a worker; .* give --workers$"):
        staffed(Actors(None, 4, None), 9)


def test_workers_have_the_variables_of_the_run_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []
    monkeypatch.setattr(ray_actors, "RayWorker", lambda place, share, environment: given.append(environment))
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
