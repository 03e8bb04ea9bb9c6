"""The wheel: what is in it, and a study that is made and run by it in a folder that has nothing of the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from light import PROJECT, SOURCES
from project import Project

from peft_pipelines.running.source import code

pytest.importorskip("hatchling", reason="builds the wheel")

FOLDERS = ("src", "conf", "methods", "data/01_raw/samples", "starter")
FILES = ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", ".telemetry", ".gitignore")
PRIVATE = (
    "conf/local/credentials.yml",
    "data/01_raw/models/m/model.safetensors",
    "data/06_models/x",
    "methods/a/b.pyc",
)
PLACES = {"src/peft_pipelines": "peft_pipelines"} | {
    name: f"peft_pipelines/project/{name}"
    for name in ("conf", "methods", "data", "starter", "constraints.txt", ".telemetry")
}


def in_wheel(name: str) -> str:
    """The place in the wheel of a file of the checkout."""
    (place,) = (place for place in PLACES if name == place or name.startswith(f"{place}/"))
    return PLACES[place] + name.removeprefix(place)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is built from, with files in it that are nobody else's."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in FILES:
        shutil.copy(PROJECT / name, folder / name)
    for path in (folder / "conf/local").iterdir():
        if path.name != ".gitkeep":
            path.unlink()  # the checkout's own settings
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> zipfile.ZipFile:
    """The wheel, built without the network."""
    names = [path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()]
    for name in PRIVATE:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("mine", encoding="utf-8")
    out = checkout / "dist"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(out), str(checkout)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    (checkout / "names").write_text("\n".join(names), encoding="utf-8")
    return zipfile.ZipFile(path)


def test_it_holds_the_package_and_what_a_project_begins_with(checkout: Path, wheel: zipfile.ZipFile) -> None:
    names = (checkout / "names").read_text(encoding="utf-8").splitlines()
    expected = {in_wheel(name): name for name in names if name.startswith(tuple(PLACES))}
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == expected.keys()
    assert all(wheel.read(place) == (checkout / name).read_bytes() for place, name in expected.items())


@pytest.fixture(scope="module")
def site(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as it is installed."""
    folder = tmp_path_factory.mktemp("site")
    wheel.extractall(folder)
    return folder


def test_cells_made_from_a_checkout_are_known_to_the_wheel(site: Path) -> None:
    """The hash of the code that decides a result is one."""
    asked = {"config", "data", "evaluation", "methods", "models", "training"}
    assert code(site / "peft_pipelines", asked) == code(SOURCES / "peft_pipelines", asked)


PROGRAM = "from peft_pipelines.__main__ import program; program()"


def python(site: Path, folder: Path, *arguments: str) -> str:
    """What Python prints in a folder, with the wheel in place of the checkout."""
    ours = {name: value for name, value in os.environ.items() if name not in ("PEFT_DIR", "KEDRO_LOGGING_CONFIG")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**ours, "PYTHONPATH": str(site), "CI": "1", "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_makes_a_study_and_runs_it_where_no_checkout_is(site: Path, tmp_path: Path) -> None:
    said = python(site, tmp_path, "-c", PROGRAM, "init", "my-study")
    assert said.startswith("my-study: a study of its own") and "logging" not in said
    study = tmp_path / "my-study"
    shutil.rmtree(study / "data")  # so that the rows below are the only ones
    project = Project(study)
    project.write("local")
    given = ("--params", "raw=raw", "--workers=1")
    first = python(site, study, "-c", PROGRAM, "run", "--pipeline=benchmark", *given)
    assert "zero_shot" in first and (study / "data/08_reporting/report.html").is_file()
    again = python(site, study, "-m", "peft_pipelines", *given)
    assert "1 of 1 cells are unchanged" in again
    listed = python(site, study / "conf", "-m", "kedro", "methods", "bitfit")
    assert str(PROJECT) not in listed.replace(sys.prefix, "the environment")


def test_kedro_finds_it_as_a_starter(site: Path, tmp_path: Path) -> None:
    python(site, tmp_path, "-c", "from kedro.framework.cli import main; main()", *NEW)
    found = tmp_path / "my-study"
    assert (found / "methods").is_dir() and (found / "conf/base/grid.yml").is_file()
    assert 'project_name = "My Study"' in (found / "pyproject.toml").read_text(encoding="utf-8")


NEW = ("new", "--starter=peft-pipelines", "--name=My Study", "--telemetry=no")
