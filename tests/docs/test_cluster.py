"""The scripts and the manifest of docs/cluster: run by a stand-in for SLURM, and held against a schema."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from project import Project, project
from stores import contents

from peft_pipelines.cli.main import run

__all__ = ["project"]

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs/cluster"
PAGE = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
SUBMITTED = [shlex.split(line)[1:] for line in re.findall(r"^sbatch .*$", PAGE, re.MULTILINE)]
STAND_INS = {
    "scontrol": 'echo "one"',
    "srun": """cpus=1
        while [ "${1#--}" != "$1" ]; do
            case "$1" in --cpus-per-task=*) cpus="${1#*=} as asked" ;; esac
            shift
        done
        CPUS="$cpus" exec "$@" """,
    "ray": """echo "${CPUS:+on $CPUS: }$@" >> ray.out
        [ "$1" != symmetric-run ] || { while [ "$1" != -- ]; do shift; done; shift; "$@"; }""",
}
"""SLURM's and Ray's programs, for one node. From SLURM 22.05 on srun gives a task one processor, unless asked."""


@pytest.fixture
def submit(tmp_path: Path) -> Any:
    """Submit a script of docs/cluster in a folder as sbatch does; what ``kedro`` is there is up to the test."""
    folder = tmp_path / "submitted"
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f"export PATH={programs}:$PATH\n")
    (folder / "docs").symlink_to(ROOT / "docs")
    for name, does in STAND_INS.items():
        program(programs / name, does)

    def submitted(*words: str, kedro: str) -> list[str]:
        program(programs / "kedro", kedro)
        given = {**os.environ, "HOME": str(folder)}
        subprocess.run([ROOT / "tests/support/sbatch", *words], cwd=folder, env=given, check=True)
        return [path.read_text() for path in sorted(folder.glob("slurm-*.out"))]

    return submitted


def program(path: Path, does: str) -> None:
    path.write_text(f"#!/bin/bash\n{does}\n")
    path.chmod(0o755)


def run_arguments(words: list[str]) -> dict[str, Any]:
    """The arguments of ``kedro run``, as its command line reads them."""
    first, command, *rest = words
    assert (first, command) == ("kedro", "run")
    return run.make_context("run", rest).params


@pytest.mark.parametrize("words", SUBMITTED, ids=" ".join)
def test_the_scripts_start_runs_that_the_command_line_knows(words: list[str], submit: Any) -> None:
    started = submit(*words, kedro='echo "kedro $@"')
    array = next((word for word in words if word.startswith("--array=0-")), None)
    assert len(started) == (int(array.rpartition("-")[2]) + 1 if array else 1)
    for line in started:
        read = run_arguments(shlex.split(line))
        assert (read["env"], read["pipeline"]) == ("full", "benchmark")
        ray = "docs/cluster/ray.sbatch" in words
        assert read["runner"].endswith("RayRunner" if ray else "CellRunner")
        assert read["runner_params"] == ({"address": "one:6379"} if ray else {})
        assert read["workers"] == (None if ray else 1)


def test_ray_is_started_on_all_nodes_with_a_token(submit: Any, tmp_path: Path) -> None:
    (said,) = submit("docs/cluster/ray.sbatch", kedro='echo "the run shows its $RAY_AUTH_MODE"')
    assert said.strip() == "the run shows its token"
    token, started = (tmp_path / "submitted/ray.out").read_text().splitlines()
    assert token == "get-auth-token --generate"
    whole = "on 1 as asked: symmetric-run --address=one:6379 --min-nodes=1 --num-cpus=1 -- kedro run "
    assert started.startswith(whole)


def test_tasks_of_a_job_array_leave_the_results_of_one_run(project: Project, submit: Any) -> None:
    project.grid["methods"] = ["zero_shot", "bitfit"]
    done = project.kedro("run", "--pipeline=benchmark")
    assert done.exit_code == 0, done.output
    Path("data").rename("alone")
    kedro = f'cd {project.folder} && exec {sys.executable} -m kedro "$@" --params raw=raw,store=data'
    for said in submit("--array=0-1", "docs/cluster/array.sbatch", kedro=kedro):
        assert "Written:" in said, said
    assert contents(Path("data")) == contents(Path("alone"))
    assert len(list(Path("data").glob("08_reporting/runs/*/manifest.json"))) == 2


JOB = yaml.safe_load((FILES / "rayjob.yaml").read_text(encoding="utf-8"))
SCHEMA = json.loads((Path(__file__).parent / "rayjob.schema.json").read_text(encoding="utf-8"))


def complaints(job: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(job)]


def test_the_manifest_is_a_ray_job() -> None:
    assert complaints(JOB) == []
    wrong = {**JOB, "spec": {**JOB["spec"], "backoffLimit": "3", "workers": 2}}
    assert len(complaints(wrong)) == 2


def test_the_manifests_parts_fit_together() -> None:
    cluster = JOB["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for pod in [group["template"]["spec"] for group in groups]:
        named = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]} == named
        assert all(each["workingDir"] == "/project" for each in pod["containers"])
    workers = cluster["workerGroupSpecs"][0]
    cores = int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    read = run_arguments(shlex.split(JOB["spec"]["entrypoint"]))
    assert read["workers"] == workers["replicas"] * cores
    assert read["runner"].endswith("RayRunner") and read["runner_params"] == {"address": "auto"}


def test_the_manifest_has_the_release_of_the_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    (ray,) = extras["ray"]
    assert ray == f"ray=={JOB['spec']['rayClusterSpec']['rayVersion']}"
