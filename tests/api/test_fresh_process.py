"""The package in a process of its own, started in a folder that is no project's."""

import subprocess
import sys
from pathlib import Path

import pytest
from recorded import LORA, original

__all__ = ["original"]

CHEAP = """
import sys, peft_pipelines
assert {"Grid", "run", "load"} <= set(dir(peft_pipelines))
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"kedro", "pandas", "pydantic", "sklearn", "torch"}, loaded
"""
ANSWERS = """
import sys
from peft_pipelines import load, results
print(len(results(project=sys.argv[1], store="data")))
print(*load(sys.argv[2], project=sys.argv[1], store="data").predict(["line 0"]))
"""


def said(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter says of some code."""
    asked = [sys.executable, "-c", code, *arguments]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)


def test_the_import_of_the_package_loads_nothing(tmp_path: Path) -> None:
    done = said(tmp_path, CHEAP)
    assert done.returncode == 0, done.stderr


def test_results_and_answers_without_a_word_of_kedro(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEDRO_LOGGING_CONFIG", "PEFT_DIR"):
        monkeypatch.delenv(name, raising=False)
    done = said(tmp_path, ANSWERS, str(original), LORA)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4\n") and done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_a_name_that_the_package_lacks_is_no_name() -> None:
    with pytest.raises(ImportError, match="cannot import name 'grid_of' from 'peft_pipelines'"):
        exec("from peft_pipelines import grid_of")
