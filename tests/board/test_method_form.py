"""Forms of method rows: each row and each type gives back the same row, each mistake stands at its field."""

import pytest
from base_rows import METHODS, PROJECT
from kedro.framework.startup import bootstrap_project
from method_forms import form_of, required

from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.method_form import MethodForm, filled
from peft_pipelines.board.method_subject import CONFIG, Subject, copied, of_row, of_type
from peft_pipelines.board.project import Project
from peft_pipelines.config import MethodSpec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import catalogue, config_check
from peft_pipelines.methods.form_fields import text_of

ENV = "smoke"
TYPES = [(one.provider, one.type) for one in catalogue.available()]
REFUSED = [(one.provider, one.type) for one in catalogue.available() if one.note]
NAMES = [f"{provider}-{kind}" for provider, kind in TYPES]


@pytest.fixture(scope="module")
def project() -> Project:
    bootstrap_project(PROJECT)
    return Project(PROJECT)


def row_of(project: Project, subject: Subject, new: str = "", **texts: str) -> MethodSpec:
    form = form_of(project, ENV, subject, new, **texts)
    found, wrong = filled(project, form, subject)
    assert found and not wrong, wrong
    return found


def mistakes(project: Project, subject: Subject, **texts: str) -> dict[str, str]:
    found, wrong = filled(project, form_of(project, ENV, subject, "" if subject.name else "mine", **texts), subject)
    assert (found is None) == bool(wrong)
    return wrong


@pytest.mark.parametrize("name", METHODS)
def test_a_row_comes_back_from_its_form(project: Project, name: str) -> None:
    assert row_of(project, of_row(project, ENV, name)) == METHODS[name]


@pytest.mark.parametrize("name", METHODS)
def test_a_copy_of_a_row_is_made_of_its_texts_alone(project: Project, name: str) -> None:
    found = row_of(project, copied(of_row(project, ENV, name)), "mine")
    assert found == METHODS[name].model_copy(update={"name": "mine"})


@pytest.mark.parametrize(("provider", "kind"), TYPES, ids=NAMES)
def test_a_type_gives_back_what_is_typed(project: Project, provider: str, kind: str) -> None:
    subject = of_type(project, ENV, provider, kind)
    typed = {
        f"config__{field.name}": text_of(field, field.default)
        for field in subject.fields[CONFIG]
        if field.settable and not (field.required or field.open)
    }
    if (provider, kind) in REFUSED:
        wrong = mistakes(project, subject, **required(subject))
        assert wrong == {"type": f"method 'mine': type {kind} is not for a row: {subject.note}"}
        return
    config = dict(row_of(project, subject, "mine", **typed, **required(subject)).config)
    for field in subject.fields[CONFIG]:
        if typed.get(f"config__{field.name}"):
            value = config.pop(field.name)
            assert (value, type(value)) == (field.default, type(field.default)), field.name
    assert set(config) == {name.removeprefix("config__") for name in required(subject)} - {
        "row__family",
        "row__citation",
    }


def test_a_form_without_texts_leaves_all_out(project: Project) -> None:
    subject = of_type(project, ENV, "hf_peft", "LORA")
    found = row_of(project, subject, "mine", row__citation="someone 2026")
    assert found == parse(
        MethodSpec,
        "here",
        {
            **{"name": "mine", "provider": "hf_peft", "type": "LORA", "family": "reparameterised"},
            **{"config": {}, "training": {}, "citation": "someone 2026"},
        },
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [("r", "eight"), ("r", "8.0"), ("use_dora", "1"), ("bias", "some"), ("modules_to_save", "q_proj")],
)
def test_a_bad_value_is_told_as_the_command_line_does(project: Project, field: str, text: str) -> None:
    from peft import LoraConfig  # noqa: PLC0415

    from peft_pipelines.config.strict_yaml import parse_value  # noqa: PLC0415

    wrong = mistakes(project, of_row(project, ENV, "lora"), **{f"config__{field}": text})
    row = METHODS["lora"].model_copy(update={"config": {field: parse_value(text, "x")}})
    with pytest.raises(ConfigError) as caught:
        config_check.build(LoraConfig, config_check.dataclass_fields(LoraConfig), row)
    assert wrong == {f"config.{field}": str(caught.value)}


@pytest.mark.parametrize(("field", "text"), [("epochs", "0"), ("schedule", "step"), ("deterministic", "maybe")])
def test_a_bad_training_value_is_told_so_too(project: Project, field: str, text: str) -> None:
    subject = of_row(project, ENV, "lora")
    assert list(mistakes(project, subject, **{f"training__{field}": text})) == [f"training.{field}"]
    found = row_of(project, subject, training__epochs="0.5")
    assert found.training == {**METHODS["lora"].training, "epochs": 0.5}
    shared = {field.name: field.default for field in subject.fields["training"]}
    assert parse(TrainingSpec, "training", shared) == rows_of(project, ENV).parameters.training


@pytest.mark.parametrize(
    ("texts", "key", "reason"),
    [
        ({"row__shots": "-1"}, "row.shots", "method 'mine', shots: Input should be greater than or equal to 0, got -1"),
        ({"row__family": "new"}, "row.family", "method 'mine', family: must be"),
        ({"row__citation": " "}, "row.citation", "method 'mine', citation: must be given, as str"),
        ({"row__package": "../x"}, "row.package", "method 'mine', package: String should match pattern"),
        ({"config__peft_type": "LORA"}, "config.peft_type", "method 'mine', config: unknown field 'peft_type'"),
        (
            {"config__lora_alpha": "3000000000"},
            "config.lora_alpha",
            "method 'mine', config: lora_alpha: must be from -21",
        ),
        ({"training__execution": "1"}, "training.execution", "method 'mine', training: unknown field 'execution'"),
        ({"row__provider": "none"}, "row.provider", "method 'mine': unknown field 'provider'"),
    ],
    ids=str,
)
def test_a_mistake_stands_at_its_field(project: Project, texts: dict[str, str], key: str, reason: str) -> None:
    wrong = mistakes(project, of_type(project, ENV, "hf_peft", "LORA"), **{"row__citation": "x", **texts})
    assert list(wrong) == [key] and wrong[key].startswith(reason)


@pytest.mark.parametrize("name", ["", "Mine", "../x", "lora", "x" * 65, "a.b"])
def test_a_new_row_has_a_name_of_its_own(project: Project, name: str) -> None:
    subject = of_type(project, ENV, "hf_peft", "LORA")
    found, wrong = filled(project, form_of(project, ENV, subject, name, row__citation="x"), subject)
    assert found is None and list(wrong) == ["new"]


def test_what_no_form_can_send_is_no_form() -> None:
    sound = {"env": "x", "name": "x", "seen": "", "row": "", "provider": "p", "type": "t", "new": "n", "texts": {}}
    MethodForm.model_validate(sound)
    for more in ({"execution": True}, {"texts": {"row": {"shots": 1}}}, {"texts": {str(n): {} for n in range(4)}}):
        with pytest.raises(ValueError, match="validation error"):
            MethodForm.model_validate({**sound, **more})
