"""A grid of cells that take no time, in the shape of the real one: data, construct, train, score, collect, table."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from peft_pipelines.files.atomic import write_json
from peft_pipelines.running.cell_runner import CellRunner

CALLS: list[str] = []
"""The nodes that ran, in order, since the last ``ran``."""
ERRORS: dict[str, BaseException] = {}
"""What a cell's step raises, by ``step.method.task``."""
FAULTS = "PEFT_TRIVIAL_FAULTS"
"""The variable that tells processes of their own what a cell's step does, by ``step.method.task``, as JSON: it raises
(``raise``), as CUDA does (``cuda``), ends its process (``die``), or, at ``wait FILE``, writes its process into a file
that is not there yet and waits."""

GRID = {"methods": ["b", "a"], "models": ["m"], "tasks": ["y", "x"], "seeds": ["s0"]}
PARAMETERS = {
    "methods": {"a": {"name": "a", "rate": 0.1}, "b": {"name": "b", "rate": 0.2}},
    "tasks": {"x": {"name": "x", "ask": "?"}, "y": {"name": "y", "ask": "?"}},
    "seeds": {"s0": 0},
    "scale": 100,
}


def adapt(raw: int, task: dict[str, Any]) -> list[Any]:
    _called("adapt", task["name"])
    return [task["ask"], raw]


def construct(method: dict[str, Any], seed: int) -> dict[str, Any]:
    _called("construct", method["name"])
    return {"method": method, "seed": seed}


def train(live: dict[str, Any], prompts: list[Any], task: dict[str, Any]) -> dict[str, Any]:
    _called("train", live["method"]["name"], task["name"])
    return {**live, "prompts": prompts}


def score(checkpoint: dict[str, Any], task: dict[str, Any], scale: int) -> dict[str, Any]:
    _called("score", checkpoint["method"]["name"], task["name"])
    return {"metric": "points", "primary": checkpoint["prompts"][1] / scale}


def collect(**cells: dict[str, Any] | None) -> dict[str, float | None]:
    return {name: found["primary"] if found else None for name, found in cells.items()}


def _called(*words: str) -> None:
    CALLS.append(".".join(words))
    if error := ERRORS.get(CALLS[-1]):
        raise error
    fault, _, file = json.loads(os.environ.get(FAULTS, "{}")).get(CALLS[-1], "").partition(" ")
    if fault == "raise":
        raise ValueError("no")
    if fault == "cuda":
        raise RuntimeError("CUDA error: device-side assert triggered")
    if fault == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "wait" and not Path(file).exists():
        write_json(Path(file), os.getpid())
        time.sleep(600)


def pipeline(grid: dict[str, list[str]] = GRID) -> Pipeline:
    """The grid's nodes, with the tags that the runner groups by."""
    names = [
        (a, m, t, s) for a in grid["methods"] for m in grid["models"] for t in grid["tasks"] for s in grid["seeds"]
    ]
    data = [
        Node(adapt, [f"{t}_raw", f"params:tasks.{t}"], f"{t}_prompts", name=f"{t}-adapt", tags=[f"data.{t}"])
        for t in grid["tasks"]
    ]
    metrics = {".".join(cell): "{}.{}-{}-{}-metrics".format(*cell) for cell in names}
    report = Node(collect, metrics, "results", name="collect")
    return Pipeline([*data, *(node for cell in names for node in _cell(*cell)), report])


def _cell(method: str, model: str, task: str, seed: str) -> Iterable[Node]:
    cell = f"{method}.{model}-{task}-{seed}"
    rows, ask = [f"params:methods.{method}", f"params:seeds.{seed}"], f"params:tasks.{task}"
    steps = [
        (construct, rows, "live"),
        (train, [f"{cell}-live", f"{task}_prompts", ask], "checkpoint"),
        (score, [f"{cell}-checkpoint", ask, "params:scale"], "metrics"),
    ]
    for function, inputs, output in steps:
        name = f"{model}-{task}-{seed}-{function.__name__}"
        yield Node(
            function,
            inputs,
            f"{cell}-{output}",
            name=name,
            namespace=method,
            tags=[f"cell.{method}.{model}.{task}.{seed}"],
        )


def _file(path: Path, **options: Any) -> dict[str, Any]:
    return {"type": "peft_pipelines.storage.artifact.Artifact", "filepath": str(path), **options}


def catalog(folder: Path, parameters: dict[str, Any] = PARAMETERS, version: str = "1", **load: str) -> DataCatalog:
    """Everything under a folder; raw rows are written once."""
    cell = folder / "{model}" / "{task}" / "{method}" / "{seed}"
    config = {
        "{task}_raw": _file(folder / "raw" / "{task}.json"),
        "{task}_prompts": _file(folder / "data" / "{task}" / "prompts.json"),
        "{method}.{model}-{task}-{seed}-live": {"type": "MemoryDataset", "copy_mode": "assign"},
        "{method}.{model}-{task}-{seed}-checkpoint": _file(cell / "checkpoint.json", versioned=True),
        "{method}.{model}-{task}-{seed}-metrics": _file(cell / "metrics.json", optional=True),
        "results": _file(folder / "results.json"),
        "failed_parts": _file(folder / "failed_parts.json", optional=True),
    }
    built = DataCatalog.from_config(config, save_version=version, load_versions=load or None)
    for name, value in _flat(parameters | {"grid": GRID}):
        built[f"params:{name}"] = value
    for task in parameters["tasks"]:
        path = folder / "raw" / f"{task}.json"
        if not path.exists():
            write_json(path, 50)
    return built


def _flat(values: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        yield name, value
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", part) for inner, part in _flat(value))


def ran(nodes: Pipeline, found: DataCatalog) -> list[str]:
    """What ran, in order."""
    CALLS.clear()
    CellRunner().run(nodes, found)
    return list(CALLS)


def fail(monkeypatch: pytest.MonkeyPatch, **faults: str) -> None:
    """Have steps of cells fail, each given as ``step_method_task``."""
    monkeypatch.setenv(FAULTS, json.dumps({name.replace("_", "."): fault for name, fault in faults.items()}))


def stands(folder: Path, but: int = 0) -> None:
    """All cells of the grid stand but some, and nothing is left of what was under way."""
    assert len(list(folder.glob("m/*/*/s0/metrics.json"))) == 4 - but
    assert not [path for path in folder.rglob("*") if path.name == "claim.json" or path.suffix == ".part"]


def soon(when: Callable[[], object], then: Callable[[], object], patience: float = 60) -> threading.Thread:
    """Do something as soon as something is true, or after some seconds."""

    def wait() -> None:
        until = time.monotonic() + patience
        while not when() and time.monotonic() < until:
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread
