"""Rows are tried on models without weights, and once: again where a row or a model's files are others."""

from pathlib import Path

import pytest
import tiny

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import enough_memory
from peft_pipelines.models.enough_memory import Memory, check_fits
from peft_pipelines.running import models_check
from peft_pipelines.running.sound_models import check_models

MODEL = ModelSpec(name="tiny", folder="model", dtype="float32", chat_template=True, licence="-", citation="-")
LORA, ARGS = tiny.METHODS["lora"], tiny.training_args()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tiny.fresh("llama").save_pretrained(tmp_path / "model")
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that are tried, after one was tried once."""
    check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS)])
    found: list[str] = []
    real = models_check.check_method

    def counted(method, skeleton, training_args):
        found.append(method.name)
        return real(method, skeleton, training_args)

    monkeypatch.setattr(models_check, "check_method", counted)
    return found


def test_sound_rows_are_not_tried_again(folder: Path, tried: list[str]) -> None:
    check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS)])
    assert tried == []


def test_what_is_remembered_is_what_it_takes_and_not_what_was_there(
    folder: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again = check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS)])
    numbers = sum(value.numel() for value in tiny.base("llama").parameters())
    weights, training = again
    assert (weights.where, weights.size) == ("model 'tiny'", 4 * numbers)
    assert training.where == "method 'lora' on model 'tiny'" and training.size > weights.size
    assert check_fits(again) is None
    small = Memory("this machine", weights.size, "a machine with more memory")
    monkeypatch.setattr(enough_memory, "device_memory", lambda: small)
    with pytest.raises(ConfigError, match=r"^method 'lora' on model 'tiny': .* take a smaller "):
        check_fits(check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS)]))
    assert tried == []


def test_a_model_that_only_answers_takes_its_weights(folder: Path) -> None:
    (need,) = check_models([MODEL], {"tiny": folder}, [], [(tiny.METHODS["zero_shot"], MODEL, ARGS)])
    assert need.where == "model 'tiny'"


def test_another_row_other_arguments_and_other_files_are_tried(folder: Path, tried: list[str]) -> None:
    wider = LORA.model_copy(update={"config": {**LORA.config, "r": 2}})
    check_models([MODEL], {"tiny": folder}, [], [(wider, MODEL, ARGS)])
    check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS.model_copy(update={"batch_size": 3}))])
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    check_models([MODEL], {"tiny": folder}, [], [(LORA, MODEL, ARGS)])
    assert tried == ["lora"] * 3


def test_float16_is_for_answers_alone(folder: Path) -> None:
    half = MODEL.model_copy(update={"dtype": "float16"})
    with pytest.raises(ConfigError) as caught:
        check_models([half], {"tiny": folder}, [], [(LORA, half, ARGS)])
    assert str(caught.value) == (
        "model 'tiny', dtype: must be bfloat16 or float32 where method 'lora' is trained, got float16: "
        "nothing scales its small gradients"
    )
    check_models([half], {"tiny": folder}, [], [(tiny.METHODS["zero_shot"], half, ARGS)])


def test_a_fault_is_told_each_time(folder: Path) -> None:
    broken = LORA.model_copy(update={"config": {**LORA.config, "target_modules": ["no_such_layer"]}})
    for _ in range(2):
        with pytest.raises(ConfigError, match="no_such_layer"):
            check_models([MODEL], {"tiny": folder}, [], [(broken, MODEL, ARGS)])
