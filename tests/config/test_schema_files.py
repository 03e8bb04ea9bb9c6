"""The files of the configuration and their schemas: each is valid by its own, and what loads is what is valid."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from base_rows import PARAMETERS, PROJECT
from jsonschema import Draft7Validator

from peft_pipelines.config import Grid, Parameters, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.params_check import check_parts
from peft_pipelines.config.schema_files import FOLDER, schema_line, schema_of
from peft_pipelines.config.strict_yaml import Document

CONF = PROJECT / "conf"
SCHEMAS = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (CONF / FOLDER).glob("*.json")}
FILES = [path for path in sorted(CONF.glob("*/**/*.yml")) if schema_of(path.relative_to(CONF).as_posix())]


def valid(schema: str, values: object) -> bool:
    """Whether values are valid by a schema; keys of YAML that are no text are compared as one, as editors do."""
    return Draft7Validator(SCHEMAS[schema]).is_valid(json.loads(json.dumps(values)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONF).as_posix())
def test_a_shipped_file_names_its_schema_and_is_valid_by_it(path: Path) -> None:
    text, inside = path.read_text(encoding="utf-8"), path.relative_to(CONF).as_posix()
    assert text.startswith(schema_line(inside))
    named = path.parent / text.splitlines()[0].partition("$schema=")[2]
    assert named.resolve() == CONF / FOLDER / schema_of(inside)
    errors = [f"{list(error.path)}: {error.message}" for error in Draft7Validator(SCHEMAS[named.name]).iter_errors(
        json.loads(json.dumps(yaml.safe_load(text) or {}))
    )]  # fmt: skip
    assert not errors


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_draft_7(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "http://json-schema.org/draft-07/schema#"


def rows() -> dict[str, Any]:
    """The rows of conf/base."""
    merged: dict[str, Any] = {}
    for file in sorted(PARAMETERS.rglob("*.yml")):
        for name, part in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            merged[name] = {**merged.get(name, {}), **part} if isinstance(part, dict) else part
    return merged


ROWS = rows()
GRID = yaml.safe_load((CONF / "base/grid.yml").read_text(encoding="utf-8"))


def changed(values: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Values with one of them set."""
    made = copy.deepcopy(values)
    *parents, field = path.split("/")
    place = made
    for name in parents:
        place = place[name]
    place[field] = value
    return made


def loads(values: dict[str, Any]) -> bool:
    """Whether the loader takes rows."""
    try:
        check_parts([Document("rows.yml", values)])
        found = Parameters.of(values)
        for method in found.methods.values():
            parse(TrainingSpec, "training", {**found.training.model_dump(), **method.training})
    except ConfigError:
        return False
    return True


FITS: list[tuple[str, Any]] = [
    ("training/epochs", 2),
    ("training/epochs", 0.5),
    ("training/generation_batch_size", None),
    ("training/generation_batch_size", 4),
    ("methods/lora/quantization", "nf4"),
    ("methods/lora/quantization", None),
    ("methods/lora/training", {"learning_rate": 1.0e-4, "schedule": "cosine"}),
    ("methods/lora/train_on", ["sst2", "cola"]),
    ("tasks/sst2/labels", {"yes": "a", 1: "b"}),
    ("tasks/sst2/max_length", 16),
    ("tasks/sst2/continuations", {"delimiter": " "}),
    ("models/llama_3_2_1b/hub", {"repo": "a/b"}),
    ("models/llama_3_2_1b/chat_template_kwargs", {"enable_thinking": [False, {"a": 1}]}),
    ("seeds", {"s9": 4294967295}),
    ("energy", None),
    ("sampling/train_unit", "group"),
    ("published/peft_factory/values", {"lora": {"sst2": -100}}),
    ("_shared", {"anything": [1]}),
    ("trackers", ["mlflow"]),
]
REFUSED: list[tuple[str, Any]] = [
    ("trainning", {}),
    ("trackers", ["mlfow"]),
    ("training/epoch", 1),
    ("training/epochs", "1"),
    ("training/epochs", True),
    ("training/epochs", 0),
    ("training/epochs", None),
    ("training/batch_size", 1.5),
    ("training/batch_size", 65_537),
    ("training/schedule", "cosin"),
    ("training/loss", []),
    ("training/deterministic", "true"),
    ("training/max_length", 15),
    ("training", [1]),
    ("methods/lora/optimiser", {}),
    ("methods/lora/family", "lora"),
    ("methods/lora/quantization", "int8"),
    ("methods/lora/config", []),
    ("methods/lora/shots", 1001),
    ("methods/lora/type", "a/../b"),
    ("methods/lora/training", {"learning_rates": 1.0}),
    ("methods/lora/training", {"schedule": "cosin"}),
    ("methods/lora/training", {"epochs": "2"}),
    ("methods/lora/citation", " "),
    ("methods/lora/train_on", []),
    ("methods/lora/train_on", ["SST 2"]),
    ("methods/lora", {"provider": "hf_peft"}),
    ("methods", ["lora"]),
    ("tasks/sst2/lablels", {}),
    ("tasks/sst2/splits", {"test": "test"}),
    ("tasks/sst2/splits/train", "../x"),
    ("tasks/sst2/splits/dev", "x"),
    ("tasks/sst2/input", "no column"),
    ("tasks/sst2/labels", {0: 1}),
    ("tasks/sst2/ignore_case", 1),
    ("tasks/sst2/metrics", "accuracy"),
    ("tasks/sst2/metrics", []),
    ("tasks/sst2/max_new_tokens", 0),
    ("tasks/sst2/instruction", "\n"),
    ("models/llama_3_2_1b/dtype", "float8"),
    ("models/llama_3_2_1b/hub", {"repo": "a/b", "branch": "main"}),
    ("models/llama_3_2_1b/chat_template_kwargs", {"Not a name": 1}),
    ("models/smollm2_135m/package/file_sha256", "abc"),
    ("seeds", {"S 0": 1}),
    ("seeds/s0", -1),
    ("seeds/s0", 4294967296),
    ("energy", {"enabled": True, "country": "sk"}),
    ("sampling/validation_share", 1),
    ("execution/seconds", 0),
    ("published/peft_factory/values", {"lora": {"sst2": 101}}),
]


@pytest.mark.parametrize(("path", "value"), FITS, ids=repr)
def test_what_the_loader_takes_is_valid(path: str, value: object) -> None:
    values = changed(ROWS, path, value)
    assert loads(values)
    assert valid("rows.json", values)


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=repr)
def test_what_the_loader_refuses_is_not_valid(path: str, value: object) -> None:
    values = changed(ROWS, path, value)
    assert not loads(values)
    assert not valid("rows.json", values)


@pytest.mark.parametrize(("path", "value"), [case for case in FITS if case[1] is not None], ids=repr)
def test_an_environment_may_change_a_single_value(path: str, value: object) -> None:
    override: Any = value
    for name in reversed(path.split("/")):
        override = {name: override}
    assert valid("parameters.json", override)


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=repr)
def test_an_environment_may_not_give_what_is_no_value_of_a_field(path: str, value: object) -> None:
    override: Any = value
    for name in reversed(path.split("/")):
        override = {name: override}
    missing = path in ("methods/lora", "tasks/sst2/splits")  # the base gives what an environment leaves out
    assert valid("parameters.json", override) == missing


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"metric": "mcc", "published": None}, True),
        ({"lr_search": {"factors": [0.3, 1.0]}}, True),
        ({"answers_shown": 0}, True),
        ({"method": ["lora"]}, False),
        ({"methods": "lora"}, False),
        ({"methods": []}, False),
        ({"tasks": ["SST-2"]}, False),
        ({"answers_shown": 21}, False),
        ({"lr_search": {"factors": []}}, False),
        ({"lr_search": {"factors": [0]}}, False),
        ({"lr_search": {"rates": [1]}}, False),
    ],
    ids=repr,
)
def test_a_grid_is_valid_where_it_loads(change: dict[str, Any], fits: bool) -> None:
    values = {**GRID, **change}
    assert valid("grid.json", values) == fits
    if fits:
        parse(Grid, "grid.yml", values)
    else:
        with pytest.raises(ConfigError):
            parse(Grid, "grid.yml", values)


def test_a_part_that_nothing_reads_is_refused_with_its_place() -> None:
    document = Document("base/parameters.yml", {"trainning": {}}, {("trainning",): (3, 1)})
    with pytest.raises(ConfigError, match=r"^base/parameters.yml, line 3, column 1: unknown part 'trainning', did you"):
        check_parts([document])
