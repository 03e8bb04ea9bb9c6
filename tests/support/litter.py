"""A store with what nobody needs: of each kind one, beside a run on record."""

import json
import os
import shutil
from pathlib import Path

from recorded import LORA, RUNS, ids
from signs import GONE, begun

OLD = "2020-01-01T00.00.00.000Z"
CHECKPOINTS = Path("data/06_models/tiny/mood/lora/s0/checkpoint")
CELL = Path("data/07_model_output/tiny/mood/lora/s0")
DEAD_RUN = "2026-11-29T12.10.00.000Z"


def old_version() -> Path:
    """A checkpoint's version that is on no record."""
    (made,) = CHECKPOINTS.iterdir()
    return Path(shutil.copytree(made, CHECKPOINTS / OLD))


def litter() -> set[Path]:
    """Leave something of each kind but a run, and return where."""
    state, aside = CHECKPOINTS.with_name("state"), CELL / "damaged-run1"
    for folder, file, content in (
        (state, "trainer_state.json", "x" * 1500),
        (aside, "metrics.json", "x" * 100),
        (CELL, "failure.json", "x" * 40),
        (CELL, "failure.log", "x" * 60),
        (CELL, f".metrics.json.{GONE}.0a1b.part", "x" * 30),
        (RUNS / "predictions", f"{'0' * 64}.jsonl", "x" * 20),
    ):
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(content)
    begun(RUNS, DEAD_RUN, GONE)
    left = {CELL / f".metrics.json.{GONE}.0a1b.part", RUNS / "predictions" / f"{'0' * 64}.jsonl"}
    failed = {CELL / "failure.json", CELL / "failure.log"}
    return {old_version(), state, aside, RUNS / DEAD_RUN / "progress.json", *left, *failed}


def older_run() -> Path:
    """An older run on record, which rests on the old version of a checkpoint; its folder."""
    (run_id,) = ids()
    old_version()
    folder = Path(shutil.copytree(RUNS / run_id, RUNS / OLD))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["run_id"] = OLD
    manifest["cells"][LORA]["artifacts"]["checkpoint"]["version"] = OLD
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def held(folder: Path) -> None:
    """Another machine's claim of a folder."""
    claim = {"run_id": "theirs", "host": "far", "pid": 7, "owner": "0a1b2c3d_7_7", "since": "-", "token": "t"}
    (folder / "claim.json").write_text(json.dumps(claim))


def aged(path: Path, days: float) -> None:
    """Have something be changed last so many days ago."""
    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))
