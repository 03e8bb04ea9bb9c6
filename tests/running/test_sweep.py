"""What killed runs leave among the runs on record, and of weights that they were dropping."""

import json
import os
import time
from pathlib import Path

from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node

from peft_pipelines.config import Cell
from peft_pipelines.files import names
from peft_pipelines.running.claims import Claims
from peft_pipelines.running.sweep import BEGINNING, sweep_report, sweep_unit
from peft_pipelines.running.units import Unit


def test_a_run_that_was_killed_as_it_began_leaves_no_folder(tmp_path: Path) -> None:
    long_ago = time.time() - BEGINNING - 1
    for name, file in (("killed", None), ("beginning", None), ("ended", "manifest.json")):
        (tmp_path / name).mkdir()
        if file:
            (tmp_path / name / file).write_text("{}")
        if name != "beginning":
            os.utime(tmp_path / name, (long_ago, long_ago))
    sweep_report([], DataCatalog({names.RUNS: MemoryDataset(str(tmp_path), copy_mode="assign")}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beginning", "ended"]


def test_weights_that_a_killed_run_was_dropping_are_removed(tmp_path: Path) -> None:
    cell = Cell(method="a", model="m", task="x", seed="s0")
    name, metrics = names.artifact(cell, names.CHECKPOINT), names.artifact(cell, names.METRICS)
    checkpoint, file = "peft_pipelines.storage.checkpoint.CheckpointFolder", "peft_pipelines.storage.artifact.Artifact"
    config = {
        name: {"type": checkpoint, "filepath": str(tmp_path / "checkpoint"), "versioned": True},
        metrics: {"type": file, "filepath": str(tmp_path / "metrics.json")},
    }
    stub = {"dropped": "-", "because": "-", "again": "-", "files": {"w.safetensors": {"bytes": 1, "sha256": "-"}}}
    for version in ("old", "whole", "damaged"):
        folder = tmp_path / "checkpoint" / version / "checkpoint"
        folder.mkdir(parents=True)
        for file_name in ("w.safetensors", "other.safetensors"):
            (folder / file_name).write_text("w")
        if version != "whole":
            (folder / names.DROPPED).write_text(json.dumps(stub) if version == "old" else "{")
    nodes = (Node(lambda: None, None, name, name="train"), Node(lambda one: one, name, metrics, name="score"))
    claims = Claims("1")
    sweep_unit(Unit(names.cell_tag(cell.id), nodes), DataCatalog.from_config(config, save_version="1"), claims)
    claims.close()
    left = sorted(path.relative_to(tmp_path).parts[1::2] for path in tmp_path.rglob("w.safetensors"))
    assert left == [("damaged", "w.safetensors"), ("whole", "w.safetensors")]
    assert len(list(tmp_path.rglob("other.safetensors"))) == 3
    assert not list(tmp_path.rglob("claim.json"))
