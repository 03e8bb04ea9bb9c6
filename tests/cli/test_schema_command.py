"""``kedro schema``: the committed schemas are those of the code, and know each type of method."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator
from kedro.framework.startup import bootstrap_project

from peft_pipelines.cli.main import cli
from peft_pipelines.config.schema_files import schema_line
from peft_pipelines.methods import providers
from peft_pipelines.methods.installed import is_installed

PROJECT = Path(__file__).parents[2]
OF_ADAPTERS = pytest.mark.skipif(not is_installed("adapters"), reason="the schemas know this library's types")
NAMES = ("grid.json", "rows.json", "parameters.json")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("PEFT_DIR", str(PROJECT / "methods"))
    bootstrap_project(PROJECT)


def schema(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["schema", *arguments])


@OF_ADAPTERS
def test_the_committed_schemas_are_what_the_code_says() -> None:
    result = schema("--check")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [f"conf/.schemas/{name}: unchanged" for name in NAMES]


@OF_ADAPTERS
def test_they_are_written_once(tmp_path: Path) -> None:
    assert schema("--output", str(tmp_path / "new")).stdout.count(": written") == len(NAMES)
    assert schema("--output", str(tmp_path / "new")).stdout.count(": unchanged") == len(NAMES)
    for name in NAMES:
        assert (tmp_path / "new" / name).read_text() == (PROJECT / "conf/.schemas" / name).read_text()


def test_a_stale_schema_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    schema("--output", str(tmp_path))
    (tmp_path / "grid.json").write_text("{}\n")
    result = schema("--output", str(tmp_path), "--check")
    assert result.exit_code == 1
    words = "not what the code says; write anew with `kedro schema`"
    assert result.stderr == f"Error: {tmp_path / 'grid.json'}: {words}\n"
    assert (tmp_path / "grid.json").read_text() == "{}\n"


@OF_ADAPTERS
def test_they_are_the_projects_also_from_a_folder_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT / "conf" / "base")
    result = schema("--check")
    assert result.stdout.splitlines() == [f"../.schemas/{name}: unchanged" for name in NAMES]


def test_a_file_that_is_no_text_is_stale(tmp_path: Path) -> None:
    (tmp_path / "grid.json").write_bytes(b"\xff\xfe")
    assert schema("--output", str(tmp_path), "--check").stderr.startswith(f"Error: {tmp_path / 'grid.json'}, ")
    assert schema("--output", str(tmp_path)).stdout.count(": written") == len(NAMES)
    assert schema("--output=").stderr.startswith("Error: --output: must be a name, got ''; leave the option out")


@OF_ADAPTERS
def test_the_docs_show_its_output_and_the_lines_of_files() -> None:
    page = (PROJECT / "docs/adding.md").read_text(encoding="utf-8")
    assert f"$ kedro schema --check\n{schema('--check').stdout}$ kedro schema\n" in page
    told = dict(re.findall(r"^\| `conf/(\S+)` \| `(# yaml-language-server: \S+)` \|$", page, re.MULTILINE))
    assert told == {path: schema_line(path).strip() for path in told} and len(told) == 4


ROW = {"family": "selective", "config": {}, "training": {}, "citation": "none"}


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"provider": "hf_peft", "type": "LORA", "config": {"r": 4}}, True),
        ({"provider": "hf_peft", "type": "LORA", "config": {"rank": 4}}, False),
        ({"provider": "hf_peft", "type": "LORA", "config": {"r": "4"}}, False),
        ({"provider": "hf_peft", "type": "LORAS"}, False),
        ({"provider": "hf_peft", "type": "XLORA"}, False),
        ({"provider": "hf_peft", "type": "PREFIX_TUNING"}, False),
        ({"provider": "hf_peft", "type": "PREFIX_TUNING", "config": {"num_virtual_tokens": 4}}, True),
        ({"provider": "adapters", "type": "SeqBnConfig", "config": {"leave_out": [1]}}, True),
        ({"provider": "adapters", "type": "SeqBnConfig", "config": {"architecture": "x"}}, False),
        ({"provider": "custom", "type": "of_my_own", "config": {"anything": 1}}, True),
        ({"provider": "weights", "type": "last_layers"}, False),
        ({"provider": "none", "type": "none", "config": {"r": 1}}, False),
        ({"provider": "none", "type": "none", "shots": 2}, True),
        ({"provider": "peft", "type": "LORA"}, False),
        ({"provider": "weights", "type": "all", "optimizer": {"type": "loraplus_adamw", "ratio": 16.0}}, True),
        ({"provider": "weights", "type": "all", "optimizer": {"type": "loraplus_adamw"}}, False),
        ({"provider": "weights", "type": "all", "optimizer": {"type": "sgd"}}, False),
        ({"provider": "weights", "type": "all", "optimizer": {"type": "adamw", "ratio": 16.0}}, False),
    ],
    ids=repr,
)
def test_a_methods_row_is_checked_by_its_type(change: dict[str, Any], fits: bool) -> None:
    rows = Draft7Validator(json.loads((PROJECT / "conf/.schemas/rows.json").read_text()))
    assert rows.is_valid({"methods": {"mine": {**ROW, **change}}}) == fits


def test_each_provider_is_known() -> None:
    rows = json.loads((PROJECT / "conf/.schemas/rows.json").read_text())
    assert rows["definitions"]["MethodSpec"]["properties"]["provider"]["enum"] == list(providers.PROVIDERS)
