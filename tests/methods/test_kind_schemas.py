"""The schemas of configs: of each field of each type they take what the check of a row takes."""

from typing import Any

from jsonschema import Draft7Validator

from peft_pipelines.methods.catalogue import available
from peft_pipelines.methods.kind_schemas import config_schema, schema_of

VALUES: list[Any] = [
    *(None, True, False, 0, 1, 8, 0.5, "", "all", "none", "gaussian", "RANDOM", "pissa_niter_4"),
    *([], ["q_proj"], [1, 2], [[0, 4], [2, 6]], [[0]], {}, {"q_proj": 4}, {"1": [2]}, {"a": "b"}, {"a": {"b": 1}}),
]


def test_a_schema_takes_what_the_kind_of_its_field_takes() -> None:
    kinds = {field.kind for kind in available() for field in kind.fields}
    assert len(kinds) > 40
    for kind in kinds:
        validator = Draft7Validator(schema_of(kind))
        for value in VALUES:
            assert validator.is_valid(value) == kind.allows(value), (kind.words, value)


def test_a_config_has_the_fields_that_a_row_may_give_and_no_others() -> None:
    types = {(one.provider, one.type): Draft7Validator(config_schema(one.all_fields)) for one in available()}
    lora, layers = types["hf_peft", "LORA"], types["weights", "last_layers"]
    assert lora.is_valid({"r": 8, "target_modules": ["q_proj"]}) and lora.is_valid({})
    assert not lora.is_valid({"rank": 8}) and not lora.is_valid({"peft_type": "LORA"})
    assert not lora.is_valid({"bias": "some"}) and not lora.is_valid({"init_lora_weights": "eva"})
    assert layers.is_valid({"layers": 2}) and not layers.is_valid({})


def test_a_help_is_cut_at_the_end_of_a_sentence() -> None:
    types = {(one.provider, one.type): config_schema(one.all_fields) for one in available()}
    told = types["hf_peft", "LORA"]["properties"]["init_lora_weights"]["description"]
    assert told.startswith("How to initialize the weights") and told.endswith(".") and len(told) <= 240
