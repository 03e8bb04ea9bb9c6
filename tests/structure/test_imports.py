"""What the command line, the rows, the metrics and the report load: nothing that takes seconds to import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from light import BENCHMARKS, HEAVY, SOURCES, TESTS, is_light

PACKAGE = SOURCES / "peft_pipelines"
FOLDERS = ("cli", "config", "evaluation", "files", "pipelines", "reporting", "running", "storage", "tracking")
SINGLE = (
    "hooks.py",
    "settings.py",
    "pipeline_registry.py",
    "methods/identity.py",
    "models/device.py",
    "models/enough_memory.py",
)
"""Modules that Kedro, a run with nothing to do or a user's mistake loads."""
HEAVY_BY_NEED = {
    "reporting/method_list.py": "lists what the libraries bring, which only they know",
    "running/models_check.py": "tries rows on the libraries' models",
    "running/ray_runner.py": "is the runner of cells, in a cluster",
}

LOADED = """
import importlib.util, json, sys
for number, path in enumerate(json.load(sys.stdin)):
    spec = importlib.util.spec_from_file_location(f"module_{number}", path)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
print(json.dumps(sorted(sys.modules)))
"""
"""Modules are run by their paths: those of tests have no names."""


def must_be_light() -> list[Path]:
    """The files of the modules that people wait for."""
    found = [path for folder in FOLDERS for path in sorted((PACKAGE / folder).rglob("*.py"))]
    return [path for path in [*found, *(PACKAGE / name for name in SINGLE)] if in_package(path) not in HEAVY_BY_NEED]


def loaded(*paths: Path) -> set[str]:
    """The names of all modules that a fresh process has loaded once it has run some files."""
    asked = json.dumps([str(path) for path in paths])
    ours = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SOURCES, BENCHMARKS, TESTS / "support")))}
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False, env=ours)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def in_package(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_the_list_is_not_empty() -> None:
    assert len(must_be_light()) > 60


@pytest.mark.parametrize("path", must_be_light(), ids=in_package)
def test_it_imports_no_heavy_library(path: Path) -> None:
    assert is_light(path)


def test_what_import_statements_say_is_what_is_loaded() -> None:
    """All light modules and all light tests at once load none of the heavy libraries."""
    found = [path for folder in (PACKAGE, TESTS) for path in folder.rglob("*.py") if path.name != "__main__.py"]
    assert not loaded(*filter(is_light, found)) & HEAVY


@pytest.mark.parametrize("name", ["config/__init__.py", "storage/artifact.py"])
def test_rows_and_single_files_load_no_tables_either(name: str) -> None:
    assert not loaded(PACKAGE / name) & {*HEAVY, "pandas", "pyarrow", "scipy", "sklearn"}


def test_the_report_does_not_load_a_notebooks_session_before_it_is_written() -> None:
    assert "IPython" not in loaded(PACKAGE / "pipelines/report/pipeline.py")


@pytest.mark.parametrize("name", ["methods/peft.py", "running/models_check.py", "models/gate.py"])
def test_a_heavy_module_is_known_as_one(name: str) -> None:
    assert not is_light(PACKAGE / name)
