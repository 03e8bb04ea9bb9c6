"""Signs of life of runs, as if they were under way, and their records."""

import os
from pathlib import Path
from typing import Any

from peft_pipelines.files.atomic import write_json
from peft_pipelines.files.owner import Owner, me
from peft_pipelines.running.progress_file import PROGRESS, RunSign

GONE = str(Owner(me().machine, me().pid, me().began + 1))
ELSEWHERE = "0a1b2c3d_815_1"


def begun(runs: Path, run_id: str, owner: str = "", silent: float = 0.0, **facts: Any) -> None:
    """A run's sign of life, as it was written some seconds ago; ``host`` and ``pid`` may be among the facts."""
    whose = {"host": facts.pop("host", "h"), "pid": facts.pop("pid", 7), "owner": owner or str(me())}
    sign = RunSign.model_validate({"run_id": run_id, **whose, "progress": {"seconds": 1.0, **facts}})
    path = runs / run_id / PROGRESS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sign.model_dump_json())
    os.utime(path, times=(path.stat().st_atime, path.stat().st_mtime - silent))


def ended(runs: Path, run_id: str, status: str = "done") -> None:
    """A run's manifest, and no sign of life any more."""
    (runs / run_id / PROGRESS).unlink(missing_ok=True)
    facts = {"run_id": run_id, "status": status, "started": "", "rows_sha256": "", "cells": {}, "environment": {}}
    write_json(runs / run_id / "manifest.json", {**facts, "modules_sha256": ""})
