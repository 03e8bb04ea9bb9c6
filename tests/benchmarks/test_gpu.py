"""The measurement of a GPU: refused without one, and all its parts run on a CPU with a small model."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import gpu
import pytest
from light import BENCHMARKS, PROJECT, SOURCES


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join(map(str, (SOURCES, BENCHMARKS)))
    variables = {**os.environ, "PYTHONPATH": paths, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, env=variables)


def test_without_a_gpu_it_says_so_in_a_line(tmp_path: Path) -> None:
    done = run(f"--output={tmp_path}/figures")
    assert done.returncode == 1
    assert done.stderr == "no CUDA device is there, or torch is built without CUDA: nothing was measured\n"
    assert not list(tmp_path.iterdir())


def test_a_cpu_has_small_models_only(tmp_path: Path) -> None:
    done = run(f"--output={tmp_path}", "--device=cpu")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--device=cpu: must come with --tiny" in done.stderr


@pytest.mark.usefixtures("base_folder")
def test_all_parts_run_with_a_small_model_on_a_cpu(tmp_path: Path) -> None:
    done = run(f"--output={tmp_path}", "--device=cpu", "--tiny", "--minutes=60")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    parts = found["parts"]
    assert list(parts) == ["steps tiny", "cell tiny", "2 cells tiny"]
    steps, cell = parts["steps tiny"], parts["cell tiny"]
    assert steps["flex"] == {"refused": "its kernels are for CUDA, the device is cpu"}
    assert all(steps[side][key] > 0 for side in ("usual", "plain") for key in ("seconds_a_step", "operators_a_step"))
    assert steps["usual"]["attention"] == "sdpa along paths"
    assert cell["plain"]["seconds"] > 0 and cell["kedro run"]["train_attention"] == "sdpa along paths"
    assert cell["kedro run"]["generate_attention"] == "sdpa along paths"
    assert parts["2 cells tiny"]["cells"] == 2
    assert (tmp_path / "gpu.md").read_text() in done.stdout
    assert "| Trainer and peft | " in done.stdout


def test_what_fails_or_comes_too_late_is_named(tmp_path: Path) -> None:
    facts, figures = {"device": "d", "machine": "m"}, {"seconds": 1.0, "seconds_a_cell": 1.0, "peak_gb": 2.0}
    todo = {"steps a": lambda: sys.exit("no room"), "2 cells a": lambda: figures}
    assert gpu.measure(todo, Namespace(output=tmp_path, minutes=60), facts) == ["steps a"]
    written = (tmp_path / "gpu.md").read_text()
    assert "failed: no room" in written and "1.0 s, 1.0 s a cell, 2.00 GB" in written
    assert gpu.measure(todo, Namespace(output=tmp_path, minutes=-1), facts) == []
    assert (tmp_path / "gpu.md").read_text().count("left out: -1 minutes were over") == 2
