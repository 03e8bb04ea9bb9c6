"""What the fields of all types and specs may hold: the kinds agree with the checks that rows go through."""

from collections.abc import Iterator
from typing import Any

import pytest

from peft_pipelines.config import EnergySpec, MethodSpec, ModelSpec, TaskSpec, TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import adapterhub, catalogue, custom_discovery, full_finetuning, peft_types
from peft_pipelines.methods.config_fields import fields_of_dataclass, fields_of_spec, kind_of
from peft_pipelines.methods.kinds import ConfigField, Kind
from peft_pipelines.methods.type_check import typed, types_of

VALUES: list[Any] = [
    *(None, True, False, 0, 1, 8, -1, 0.5, "", "all", "none", "gaussian", "RANDOM", "pissa_niter_4", "all-linear"),
    *([], ["q_proj"], [1, 2], [[0, 4], [2, 6]], [[0]], {}, {"q_proj": 4}, {"1": [2]}, {"a": "b"}, {"a": {"b": 1}}),
]


def classes() -> Iterator[tuple[str, Any]]:
    """The config classes of all types."""
    yield from sorted(peft_types.own().items())
    library = vars(adapterhub._library().configuration)
    yield from ((one.type, library[one.type]) for one in catalogue.available() if one.provider == "adapters")
    yield from ((name, custom_discovery.discover(name).config) for name in custom_discovery.names())
    yield from ((name, config) for name, (config, _) in full_finetuning.TYPES.items())


def accepts(kind: Any, value: object) -> bool:
    """Whether a row's check lets a value through."""
    try:
        typed("", value, kind)
    except ConfigError:
        return False
    return True


def test_a_kind_allows_what_the_check_of_a_row_lets_through() -> None:
    seen = 0
    for name, config in classes():
        types = types_of(config)
        for field in fields_of_dataclass(config):
            for value in VALUES:
                seen += 1
                assert field.kind.allows(value) == accepts(types[field.name], value), (name, field.name, value)
    assert seen > 10_000


def test_a_default_is_of_its_fields_kind() -> None:
    for name, config in classes():
        for field in fields_of_dataclass(config):
            assert field.required or field.kind.allows(field.default), (name, field.name)


def test_no_settable_field_lacks_help_where_the_library_has_one() -> None:
    bare = [
        f"{one.type}.{field.name}"
        for one in catalogue.available()
        for field in one.fields
        if not field.help and one.provider != "adapters"
    ]
    assert not bare


FIELDS = {(one.type, field.name): field for one in catalogue.available() for field in one.all_fields}


@pytest.mark.parametrize(
    ("place", "name", "optional"),
    [
        (("LORA", "r"), "int", False),
        (("LORA", "lora_dropout"), "float", False),
        (("LORA", "use_dora"), "bool", False),
        (("LORA", "bias"), "choice", False),
        (("LORA", "modules_to_save"), "list", True),
        (("LORA", "target_modules"), "yaml", True),
        (("LORA", "rank_pattern"), "map", True),
        (("BOFT", "bias"), "text", False),
        (("PROMPT_TUNING", "num_virtual_tokens"), "int", False),
        (("PROMPT_TUNING", "prompt_tuning_init"), "choice", False),
        (("DoubleSeqBnConfig", "reduction_factor"), "yaml", False),
        (("svft", "rank"), "int", True),
        (("last_layers", "layers"), "int", False),
    ],
    ids=str,
)
def test_the_kind_of_a_field_is_known(place: tuple[str, str], name: str, optional: bool) -> None:
    assert (FIELDS[place].kind.name, FIELDS[place].kind.optional) == (name, optional)


def test_a_choice_names_what_a_row_may_choose() -> None:
    start = FIELDS["LORA", "init_lora_weights"].kind
    assert start.choices == (True, False, "gaussian", "olora", "pissa", "orthogonal", "mica")
    assert start.patterns == ("pissa_niter_[number of iters]",) and start.closed
    assert FIELDS["LORA", "bias"].kind.choices == ("none", "all", "lora_only")
    assert not FIELDS["ROAD", "variant"].kind.closed


def test_a_union_names_its_kinds() -> None:
    targets = FIELDS["LORA", "target_modules"].kind
    assert [option.name for option in targets.options] == ["list", "text"]
    assert targets.options[0].items == kind_of(str)
    assert targets.words == "list[str] or str or null"


def test_a_row_of_a_librarys_own_has_its_fields() -> None:
    names = [field.name for field in FIELDS["LORA", "kasa_config"].kind.fields]
    assert names and FIELDS["LORA", "kasa_config"].kind.name == "map"


@pytest.mark.parametrize("place", [("LORA", "peft_type"), ("ADALORA", "total_step"), ("svft", "inference_mode")])
def test_what_no_row_may_give_is_told(place: tuple[str, str]) -> None:
    assert not FIELDS[place].settable


def test_what_is_required_is_told() -> None:
    assert FIELDS["last_layers", "layers"].required
    assert FIELDS["PREFIX_TUNING", "num_virtual_tokens"].required
    assert not FIELDS["LORA", "r"].required and FIELDS["LORA", "r"].default == 8


def test_the_fields_of_a_spec_have_kinds_too() -> None:
    fields = {field.name: field for spec in (TrainingSpec, MethodSpec) for field in fields_of_spec(spec)}
    assert fields["schedule"].kind.choices == ("linear", "cosine", "constant", "constant_with_warmup")
    assert fields["epochs"].kind.name == "float" and fields["epochs"].required
    assert fields["generation_batch_size"].kind == Kind("int", optional=True, words="int or null")
    assert fields["loss"].kind.name == "map"
    assert fields["train_on"].kind.items == Kind("text", words="str") and fields["train_on"].kind.optional
    assert fields["optimizer"].default == {"type": "adamw"} and "name" not in fields
    splits = next(field for field in fields_of_spec(TaskSpec) if field.name == "splits")
    assert [inner.name for inner in splits.kind.fields] == ["train", "test", "test_share", "validation"]
    assert "date" in [field.name for field in fields_of_spec(ModelSpec)]
    assert fields_of_spec(EnergySpec)[0] == ConfigField(
        "enabled", Kind("bool", words="bool"), required=True, help=fields_of_spec(EnergySpec)[0].help
    )
