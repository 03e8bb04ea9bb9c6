"""Rows and folders as docs/adding.md and docs/custom_method.md give them are tested by existing.

They are added to a copy of the project, and the copy's tests, unchanged, run on them.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import base_rows
import pytest
import tiny
import yaml

ROOT = base_rows.PROJECT
BLOCK = re.compile(r"^```(?:yaml|python)\n# ((?:conf/base|methods)/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ADDED = {
    path: text
    for page in ("docs/adding.md", "docs/custom_method.md")
    for path, text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    if not path.endswith("training.yml")
}
COPIED = ("conf", "methods", "src", "tests", "docs", "data/01_raw/samples")
NEW = {"methods": ("loha", "channel_gain"), "tasks": ("headlines",), "models": ("my_model",)}
TESTS = (
    "tests/methods/test_contract.py",
    "tests/training/test_optimizers.py",
    "tests/data",
    "tests/models/test_rows.py",
)
ELSEWHERE = "not (qwen2 or mistral or gemma3 or gpt_neox)"
"""Llama, GPT-2 and OPT are enough to see that new rows are run: each family takes time."""
TABLES = (
    "tests/cli/test_methods_command.py",
    "tests/methods/test_contract.py::test_the_rows_of_ours_are_refused_where_their_library_says_so",
    "tests/end_to_end/test_regressions.py::test_each_task_reports_what_its_kind_asks_for",
    "tests/training/test_together.py::test_the_rows_say_which_methods_learn_together",
    "tests/data/test_samples.py::test_all_samples_are_of_a_task",
)
"""Tests that look at all rows together."""


def test_the_pages_give_a_row_of_each_kind_and_a_folder() -> None:
    assert sorted(ADDED) == [
        "conf/base/parameters/methods/channel_gain.yml",
        "conf/base/parameters/methods/loha.yml",
        "conf/base/parameters/models.yml",
        "conf/base/parameters/tasks/headlines.yml",
        "methods/channel_gain/config.py",
        "methods/channel_gain/model.py",
    ]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all of it added, and a folder of weights where the model row says."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in ADDED.items():
        add(folder / path, text)
    model = folder / yaml.safe_load(ADDED["conf/base/parameters/models.yml"])["models"]["my_model"]["folder"]
    tiny.fresh("llama").save_pretrained(model)
    tiny.tokenizer(tiny.CHATML).save_pretrained(model)
    return folder


def add(path: Path, text: str) -> None:
    """Write a file, or append the rows to one that has rows of the same kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        text = f"{path.read_text()}\n{text.partition(chr(10))[2]}"
    path.write_text(text)


def outcomes(copy: Path, *arguments: str) -> dict[str, str]:
    """Run the copy's tests: by test ``passed`` or ``skipped``, with the reason behind it."""
    environment = {**os.environ, "PEFT_DIR": str(copy / "methods"), "PYTHONPATH": str(copy / "src")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=found.xml", *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    found = {}
    for case in ElementTree.parse(copy / "found.xml").iter("testcase"):
        skipped = case.find("skipped")
        name = f"{case.get('classname')}.{case.get('name')}"
        found[name] = "passed" if skipped is None else f"skipped: {skipped.get('message')}"
    return found


def test_the_new_rows_are_tested_by_existing(copy: Path) -> None:
    names = [name for group in NEW.values() for name in group]
    found = outcomes(copy, *TESTS, "-k", f"({' or '.join(names)}) and {ELSEWHERE}")
    for name in names:
        of_row = [outcome for test, outcome in found.items() if re.search(rf"\b{name}\b", test)]
        assert "passed" in of_row, name
    reasons = [outcome for outcome in found.values() if outcome != "passed"]
    assert all(len(reason.removeprefix("skipped: ").split()) > 3 for reason in reasons), reasons


def test_the_tests_of_all_rows_together_take_the_new_ones(copy: Path) -> None:
    assert set(outcomes(copy, *TABLES).values()) == {"passed"}
