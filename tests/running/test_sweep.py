"""What killed runs leave among the runs on record."""

import os
import time
from pathlib import Path

from kedro.io import DataCatalog, MemoryDataset

from peft_pipelines.files import names
from peft_pipelines.running.sweep import BEGINNING, sweep_report


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
