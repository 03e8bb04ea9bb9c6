"""Cells in actors of a Ray cluster: the same as one after another, whoever dies meanwhile. Ray is an extra."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from clusters import NODE, cluster, kill_node, workers
from killed import all_providers
from processes import begun
from project import Project
from stores import contents, tree
from tracked import LORA, asks_for
from trivial import FAULTS, catalog, fail, pipeline, soon, stands

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.failures import PartsFailed
from peft_pipelines.running.ray_runner import RayRunner
from peft_pipelines.tracking.trackers import trackers

pytest.importorskip("ray", reason="needs Ray, the extra [ray]")
pytestmark = pytest.mark.filterwarnings("ignore")  # what Ray leaves open is Ray's

CELL = "m/x/b/s0"
PATIENCE = 300
"""Seconds for a worker to begin: Ray starts slowly on a busy machine."""


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Any]:
    with cluster() as made:
        yield made


@pytest.fixture
def address(three_nodes: Any) -> str:
    return str(three_nodes.address)


def test_a_cell_that_ends_three_workers_has_failed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, train_b_x="die")
    with pytest.raises(PartsFailed, match=r"b · m · x · s0: WorkersLost: .* in train, the last by SIGKILL"):
        RayRunner(address=address).run(pipeline(), catalog(tmp_path))
    stands(tmp_path, but=1)
    failure = json.loads((tmp_path / CELL / "failure.json").read_text())
    assert failure["node"] == "b.m-x-s0-train"


def test_a_lost_node_costs_the_cell_that_it_was_making(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = tmp_path / "pid"
    fail(monkeypatch, train_b_x=f"wait {pid}")
    soon(pid.exists, lambda: kill_node(json.loads(pid.read_text())), PATIENCE)
    RayRunner(address=three_nodes.address, workers=1).run(pipeline(), catalog(tmp_path / "store"))
    three_nodes.add_node(**NODE)
    ended = "b · m · x · s0: its process was ended (lost with its actor or node, in train), the cell is made again"
    assert ended in capsys.readouterr().err.splitlines()
    stands(tmp_path / "store")


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def run_trivial(folder: Path, address: str, faults: str) -> None:
    """Run the trivial grid in a process of its own."""
    os.environ[FAULTS] = faults
    RayRunner(address=address).run(pipeline(), catalog(folder))


def test_a_run_that_is_killed_takes_its_workers_along_and_goes_on(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, store = tmp_path / "pid", tmp_path / "store"
    driver = begun(run_trivial, store, address, json.dumps({"train.b.x": f"wait {pid}"}))
    soon(pid.exists, lambda: None, PATIENCE).join()
    worker = psutil.Process(json.loads(pid.read_text()))
    assert driver.pid
    _kill(driver.pid)
    driver.join()
    worker.wait(timeout=60)
    RayRunner(address=address).run(pipeline(), catalog(store))
    stands(store)


def test_killed_workers_and_nodes_change_no_number(
    three_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "methods"))
    project = all_providers(tmp_path)
    project.grid |= {"methods": ["lora", "bitfit", "prefix_tuning"]}
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    Path("data").rename("one")
    dead: list[int] = []

    def two_are_dead() -> bool:
        """Kill a worker that has a cell, and then the node of another one."""
        for each in workers(Path("data")) - set(dead):
            dead.append(each)
            _kill(each) if len(dead) == 1 else kill_node(each)
        return len(dead) > 1

    soon(two_are_dead, lambda: None, PATIENCE)
    arguments = [f"--runner-params=address={three_nodes.address}", "--workers=2"]
    result = project.kedro("run", "--runner=peft_pipelines.running.RayRunner", *arguments)
    assert result.exit_code == 0, result.output
    assert len(dead) > 1
    one, other = Path("one"), Path("data")
    assert tree(one) == tree(other)
    assert contents(one) == contents(other)


class Told:
    """A tracker that keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        TOLD.clear()

    def begin(self, cell: Any, before: str | None) -> str:
        TOLD.append(f"{cell.id} begins")
        return str(cell.id)

    def last_steps(self, run: str) -> dict[str, int]:
        return {}

    def log(self, run: str, step: int, numbers: Any) -> None:
        TOLD.extend(f"{run} {name}" for name in numbers)

    def end(self, run: str, result: Any) -> None:
        TOLD.append(f"{run} {result.status}")

    def end_dead(self, run: str) -> None:
        """No run has died."""

    def close(self) -> None:
        """Nothing is held."""


TOLD: list[str] = []


def test_trackers_are_told_of_cells_in_actors(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trackers, "find_spec", lambda name: name)
    monkeypatch.setattr(trackers, "KNOWN", {"tensorboard": Told})
    runner = ["--runner=peft_pipelines.running.RayRunner", f"--runner-params=address={address}"]
    result = asks_for(Project(tmp_path), "tensorboard").kedro("run", *runner)
    assert result.exit_code == 0, result.output
    of_lora = [line.removeprefix(f"{LORA} ") for line in TOLD if line.startswith(LORA)]
    assert (of_lora[0], of_lora[-1]) == ("begins", "done")
    assert {"train/loss", "train/validation_loss"} <= set(of_lora)


def test_what_is_made_already_needs_no_cluster(tmp_path: Path) -> None:
    CellRunner().run(pipeline(), catalog(tmp_path))
    RayRunner(address="nowhere:1").run(pipeline(), catalog(tmp_path))


def test_no_cluster_at_the_address_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--runner-params, address: no Ray cluster answers, got not an address: "):
        RayRunner(address="not an address").run(pipeline(), catalog(tmp_path))


def test_a_cluster_may_have_asked_for_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise ConnectionError("Failed to connect")

    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", refused)
    for mode, end in ((None, "; one that asks for a token needs RAY_AUTH_MODE=token here too"), ("token", "")):
        monkeypatch.setenv("RAY_AUTH_MODE", mode) if mode else monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
        with pytest.raises(ConfigError, match=f"no Ray cluster answers, got head:1: Failed to connect{end}$"):
            RayRunner(address="head:1").run(pipeline(), catalog(tmp_path))


def test_another_kind_of_device_is_seen(address: str, tmp_path: Path) -> None:
    runner: Any = RayRunner(address=address)
    runner._device = "cuda"
    with pytest.raises(ConfigError, match="computes on 'cpu', the run is planned for 'cuda'"):
        runner.run(pipeline(), catalog(tmp_path))
