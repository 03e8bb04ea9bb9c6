"""Rows as forms: the texts of every row and of every type's defaults stand for the same values again."""

from typing import Any

import pytest
import tiny
import yaml
from base_rows import PARAMETERS
from hypothesis import given, settings
from hypothesis import strategies as st

from peft_pipelines.config import MethodSpec, ModelSpec, Spec, TaskSpec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods.catalogue import available
from peft_pipelines.methods.config_fields import fields_of_spec, kind_of
from peft_pipelines.methods.form_fields import fields_of, text_of, value_of, values_of
from peft_pipelines.methods.kinds import ConfigField, Kind

TYPES = {(one.provider, one.type): one for one in available()}
SPECS: dict[str, type[Spec]] = {"tasks": TaskSpec, "models": ModelSpec, "methods": MethodSpec}
ROWS = [
    (axis, name, row)
    for file in sorted(PARAMETERS.rglob("*.yml"))
    for axis, rows in yaml.safe_load(file.read_text()).items()
    if axis in SPECS
    for name, row in rows.items()
]


def texts_of(fields: tuple[ConfigField, ...], values: dict[str, Any]) -> dict[str, str]:
    """The texts of a form that a row has been put into; of what the row leaves out, empty ones."""
    return {one.name: text_of(one, values[one.name]) if one.name in values else "" for one in fields if one.settable}


@pytest.mark.parametrize("name", tiny.METHODS)
def test_the_config_of_a_row_comes_back_from_its_form(name: str) -> None:
    method = tiny.METHODS[name]
    fields = TYPES[method.provider, method.type].all_fields
    config = values_of(fields, texts_of(fields, method.config))
    assert parse(MethodSpec, name, {**method.model_dump(), "config": config}) == method


@pytest.mark.parametrize(("axis", "name", "row"), ROWS, ids=[f"{axis}-{name}" for axis, name, _ in ROWS])
def test_a_whole_row_comes_back_from_its_form(axis: str, name: str, row: dict[str, Any]) -> None:
    fields = fields_of_spec(SPECS[axis])
    assert parse(SPECS[axis], name, values_of(fields, texts_of(fields, row))) == parse(SPECS[axis], name, row)


@pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: f"{kind.provider}-{kind.type}")
def test_the_defaults_of_a_type_come_back_from_their_texts(kind: Any) -> None:
    for field in kind.all_fields:
        if not field.required:
            value = value_of(field, text_of(field, field.default))
            assert (value, type(value)) == (field.default, type(field.default)), field


def test_the_training_arguments_come_back_from_their_form() -> None:
    fields, values = fields_of_spec(TrainingSpec), tiny.training_args().model_dump()
    assert values_of(fields, texts_of(fields, values)) == values


def test_the_fields_of_a_type_are_found_by_its_name() -> None:
    found = fields_of("hf_peft", "LORA")
    assert tuple(field for field in found if field.settable) == TYPES["hf_peft", "LORA"].fields
    assert not {field.name: field for field in found}["peft_type"].settable
    with pytest.raises(ConfigError, match=r"^provider 'hf_peft': unknown type 'LORAS', did you mean 'LORA'\? Allowed"):
        fields_of("hf_peft", "LORAS")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"))),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abcdefgh_", min_size=1), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(PLAIN)
def test_any_value_of_a_yaml_field_comes_back_from_its_text(value: object) -> None:
    field = ConfigField("any", kind_of(Any))
    if value != "???":  # YAML's word for a missing value, which no row may hold
        assert value_of(field, text_of(field, value)) == value


@pytest.mark.parametrize("text", ["1e-3", "true", "null", "08", "1:30", "~", "[a]", "#x", "yes", "0x10"])
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    for field in (ConfigField("plain", Kind("text")), ConfigField("mixed", kind_of(list[str] | str))):
        assert value_of(field, text_of(field, text)) == text


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (("LORA", "r"), "eight", "config, r: must be int, got 'eight'"),
        (("LORA", "r"), "8.0", "config, r: must be int, got 8.0"),
        (("LORA", "r"), "true", "config, r: must be int, got True"),
        (("LORA", "r"), "null", "config, r: must be int, got None"),
        (("LORA", "r"), "", "config, r: must be int, got None"),
        (("LORA", "use_dora"), "1", "config, use_dora: must be bool, got 1"),
        (("LORA", "bias"), "some", "config, bias: must be 'none' or 'all' or 'lora_only', got 'some'"),
        (("LORA", "init_lora_weights"), "eva", "config, init_lora_weights: must be bool or 'gaussian' or 'olora' or"),
        (("LORA", "modules_to_save"), "q_proj", "config, modules_to_save: must be list[str] or null, got 'q_proj'"),
        (("LORA", "target_modules"), "[q_proj", "config, target_modules, line 2, column 1: while parsing a flow seq"),
        (("LORA", "target_modules"), "[1]", "config, target_modules: must be list[str] or str or null, got [1]"),
    ],
    ids=str,
)
def test_a_text_of_another_kind_is_refused_in_one_line(field: tuple[str, str], text: str, words: str) -> None:
    kinds = {(kind.type, one.name): one for kind in TYPES.values() for one in kind.fields}
    with pytest.raises(ConfigError) as caught:
        value_of(kinds[field], text)
    assert str(caught.value).startswith(words)


def test_a_form_must_give_what_is_required_and_nothing_else() -> None:
    layers, lora = TYPES["weights", "last_layers"].all_fields, TYPES["hf_peft", "LORA"].all_fields
    with pytest.raises(ConfigError, match=r"^here, layers: must be given, as int$"):
        values_of(layers, {"layers": " "}, "here")
    with pytest.raises(ConfigError, match=r"^here: unknown field 'peft_type'"):
        values_of(lora, {"peft_type": "LORA"}, "here")
    assert values_of(lora, {"r": "", "init_lora_weights": "true", "bias": "none"}) == {
        "init_lora_weights": True,
        "bias": "none",
    }
