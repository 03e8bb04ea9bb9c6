"""``kedro methods``: all there is to choose from, read from the libraries, and the coverage page of the docs."""

import json
from pathlib import Path

import pytest
import tiny
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

from peft_pipelines.cli.main import cli
from peft_pipelines.methods.catalogue import available

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("PEFT_DIR", str(PROJECT / "methods"))
    bootstrap_project(PROJECT)


def methods(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["methods", *arguments])


def test_every_type_and_every_row_is_listed() -> None:
    result = methods()
    assert result.exit_code == 0, result.output
    words = result.stdout.replace("|", " ").replace(",", " ").split()
    assert {str(kind.value) for kind in PEFT_TYPE_TO_TUNER_MAPPING} <= set(words)
    assert set(tiny.METHODS) <= set(words)
    assert {path.name for path in (PROJECT / "methods").iterdir() if (path / "model.py").is_file()} <= set(words)
    assert "SeqBnConfig" in words


def test_each_rows_type_is_available_with_the_fields_that_it_sets() -> None:
    found = {(kind.provider, kind.type): kind for kind in available()}
    for name, method in tiny.METHODS.items():
        kind = found[method.provider, method.type]
        assert set(method.config) <= {field.name for field in kind.fields}, name


def test_a_row_shows_its_values_beside_the_librarys_defaults() -> None:
    lines = methods("lora").stdout.splitlines()
    assert lines[0].startswith("LORA (hf_peft), reparameterised; rows: ")
    rank = tiny.METHODS["lora"].config["r"]
    assert f"  r: int, default 8; row lora {rank}" in lines
    assert not any("row dora" in line or line.strip().startswith("peft_type") for line in lines)


def test_a_type_shows_the_values_of_all_its_rows() -> None:
    lines = methods("--type", "lora").stdout.splitlines()
    (rank,) = [line for line in lines if line.startswith("  r: ")]
    assert "; row dora " in rank and "; row lora " in rank


def test_a_field_says_what_is_allowed_what_is_required_and_its_full_help() -> None:
    lines = methods("lora").stdout.splitlines()
    (bias,) = [line for line in lines if line.startswith("  bias: ")]
    assert "'none'" in bias and "'all'" in bias and "'lora_only'" in bias
    assert not any(line.endswith("…") for line in lines)
    tokens = methods("prompt_tuning").stdout
    assert "  num_virtual_tokens: int, required; row prompt_tun" in tokens
    assert "  layers: int, required; row freeze 2" in methods("freeze").stdout.splitlines()


def test_a_type_that_is_refused_says_why() -> None:
    assert "refused: it mixes adapters that have been trained before" in methods("xlora").stdout


def test_json_holds_all_of_it() -> None:
    found = {kind["type"]: kind for kind in json.loads(methods("--json").stdout)}
    fields = {field["name"]: field for field in found["LORA"]["fields"]}
    assert (fields["r"]["kind"]["name"], fields["r"]["default"]) == ("int", 8)
    assert fields["r"]["help"] == "Lora attention dimension" and fields["r"]["settable"]
    assert fields["bias"]["kind"]["choices"] == ["none", "all", "lora_only"]
    assert not fields["task_type"]["settable"]
    assert "lora" in found["LORA"]["rows"]


def test_a_mistyped_name_is_one_line() -> None:
    result = methods("lorra")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: methods: unknown row or type 'lorra', did you mean 'lora'?")


@pytest.mark.parametrize("more", ["lora", "--type=LORA", "--json"])
def test_the_coverage_page_is_of_all_methods(more: str) -> None:
    result = methods("--coverage", more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: --coverage: is a page of all methods; leave out NAME, --type and --json\n"


def test_the_coverage_page_is_up_to_date() -> None:
    assert methods("--coverage").stdout == (PROJECT / "docs/coverage.md").read_text()
