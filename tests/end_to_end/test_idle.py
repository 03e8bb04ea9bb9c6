"""A run with nothing to do: it waits for no library that computes."""

import json
import os
import subprocess
import sys

from light import HEAVY, SOURCES
from project import Project, project  # noqa: F401

RUN = """
import json, runpy, sys
sys.argv = ["kedro", "run", "--params", "raw=raw,store=data"]
try:
    runpy.run_module("kedro", run_name="__main__")
except SystemExit as end:
    print(json.dumps({"code": end.code, "loaded": sorted(sys.modules)}), file=sys.stderr)
"""


def test_a_run_with_nothing_to_do_loads_no_library_of_models(project: Project) -> None:  # noqa: F811
    project.method("lora")
    assert project.kedro("run").exit_code == 0
    ours = {**os.environ, "PYTHONPATH": str(SOURCES), "DO_NOT_TRACK": "1"}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=False, env=ours)
    found = json.loads(done.stderr.splitlines()[-1])
    assert "1 of 1 cells are unchanged" in done.stderr
    assert not found["code"]
    assert "peft_pipelines.running.cell_runner" in found["loaded"]
    assert not HEAVY & set(found["loaded"])
