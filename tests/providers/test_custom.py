"""Drop-in methods: what counts as one, and what is said of a folder that is none."""

import shutil
import textwrap
from pathlib import Path

import pytest
import tiny
import torch

from peft_pipelines import models, providers
from peft_pipelines.errors import ConfigError
from peft_pipelines.providers import custom
from peft_pipelines.specs import MethodSpec

CONFIG = """
from dataclasses import dataclass
from peft import LoraConfig, PeftConfig

@dataclass
class NoopConfig(PeftConfig):
    peft_type: str = "NOOP"
    strength: float = 1.0
"""
MODEL = """
from peft.tuners.lora import LoraModel
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from .config import NoopConfig

class NoopModel(BaseTuner):
    prefix = "noop"
    tuner_layer_cls = BaseTunerLayer
    target_module_mapping = {}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PEFT_DIR", str(tmp_path))
    write(tmp_path / "noop", CONFIG, MODEL)
    return tmp_path / "noop"


def write(folder: Path, config: str | None, model: str | None) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in (("config.py", config), ("model.py", model)):
        if text is not None:
            (folder / name).write_text(textwrap.dedent(text))


def row(**values) -> MethodSpec:
    usual = {"name": "mine", "provider": "custom", "type": "noop", "family": "selective", "config": {}, "training": {}}
    return MethodSpec(**{**usual, "citation": "x", **values})


def test_only_classes_defined_in_the_files_count(folder):
    found = custom.discover("noop")
    assert (found.config.__name__, found.tuner.__name__) == ("NoopConfig", "NoopModel")


def test_a_folder_without_both_files_is_none(folder):
    write(folder.parent / "half", CONFIG, None)
    (folder.parent / "notes.txt").write_text("no folder")
    assert custom.names() == ["noop"]


def test_a_changed_file_is_read_anew_and_has_another_fingerprint(folder):
    before = providers.fingerprint(row())
    assert providers.fingerprint(row()) == before
    write(folder, CONFIG.replace("1.0", "2.0"), MODEL)
    assert custom.discover("noop").config().strength == 2.0
    assert providers.fingerprint(row()) != before


@pytest.mark.parametrize(
    ("config", "model", "words"),
    [
        (
            "import nothing_of_this_name",
            MODEL,
            "config.py: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
        ("class Broken(:", MODEL, "config.py: SyntaxError: "),
        ("from peft import LoraConfig", MODEL, "config.py must define one PeftConfig subclass, got none"),
        (
            CONFIG + "class Second(NoopConfig): pass",
            MODEL,
            "must define one PeftConfig subclass, got NoopConfig, Second",
        ),
        (CONFIG, "from peft.tuners.lora import LoraModel", "model.py must define one BaseTuner subclass, got none"),
        (CONFIG, "1 / 0", "model.py: ZeroDivisionError: division by zero"),
        (CONFIG.replace('"NOOP"', '""'), MODEL, "NoopConfig in config.py has no peft_type"),
        (CONFIG, MODEL.replace('"noop"', '""'), "NoopModel in model.py has no prefix"),
    ],
)
def test_a_bad_folder_is_named_in_one_line(folder, config, model, words):
    write(folder, config, model)
    with pytest.raises(ConfigError) as caught:
        providers.check(row(), tiny.skeleton("llama"))
    assert words in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_folder_does_not_disturb_a_method_beside_it(folder):
    write(folder, "1 / 0", "1 / 0")
    shutil.copytree(tiny.PROJECT / "methods" / "bitfit", folder.parent / "bitfit")
    providers.check(tiny.METHODS["bitfit"], tiny.skeleton("llama"))
    providers.check(tiny.METHODS["lora"], tiny.skeleton("llama"))


def test_an_unknown_folder_is_refused(folder):
    with pytest.raises(ConfigError, match="unknown custom method 'nop', did you mean 'noop'\\? Allowed: noop"):
        providers.check(row(type="nop"), tiny.skeleton("llama"))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("lora", {"provider": "hf_pef"}, "method 'lora': unknown provider 'hf_pef', did you mean 'hf_peft'? Allowed: "),
        ("lora", {"type": "LORAS"}, "method 'lora': unknown type 'LORAS', did you mean 'LORA'? Allowed: ADALORA, "),
        ("lora", {"config": {"rank": 8}}, "method 'lora', config: unknown field 'rank'"),
        ("lora", {"config": {"peft_type": "IA3"}}, "method 'lora', config: unknown field 'peft_type'"),
        (
            "lora",
            {"config": {"target_modules": ["v_proj", "q_prof"]}},
            "on model type 'llama': unknown target module 'q_prof', did you mean 'q_proj'? Allowed: down_proj, ",
        ),
        ("lora", {"config": {"r": -1}}, "method 'lora' on model type 'llama': `r` should be a positive integer"),
        ("sequential_bottleneck", {"type": "SeqBn"}, "unknown type 'SeqBn', did you mean 'SeqBnConfig'? Allowed: "),
        ("sequential_bottleneck", {"config": {"factor": 2}}, "config: unknown field 'factor'"),
        ("bitfit", {"config": {"modules": []}}, "method 'bitfit', config: unknown field 'modules'"),
        ("bitfit", {"config": {"target_modules": ["q_prof"]}}, "unknown target module 'q_prof'"),
        ("zero_shot", {"config": {"r": 8}}, "method 'zero_shot', config: unknown field 'r'. Allowed: none"),
    ],
)
def test_a_rows_fault_is_one_line_before_any_weights(name, values, words):
    with pytest.raises(ConfigError) as caught:
        providers.check(tiny.METHODS[name].model_copy(update=values), tiny.skeleton("llama"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("targets", [["q_proj"], ["q_proj", "down_proj"]])
def test_bitfit_trains_the_biases_that_a_row_names(targets):
    method = tiny.METHODS["bitfit"].model_copy(update={"config": {"target_modules": targets}})
    attached = providers.attach(models.clone(tiny.base("llama")), method, 0)
    assert {name.split(".")[-2] for name in attached.trainable()} == set(targets)
    assert all(torch.count_nonzero(value) == 0 for value in attached.trainable().values())


def test_a_checkpoint_of_other_targets_is_refused(tmp_path):
    rows = [
        tiny.METHODS["bitfit"].model_copy(update={"config": {"target_modules": [name]}})
        for name in ("q_proj", "v_proj")
    ]
    saved = providers.attach(models.clone(tiny.base("llama")), rows[0], 0)
    providers.save(saved, tmp_path)
    with pytest.raises(ConfigError, match="of method 'bitfit': tensors do not match"):
        providers.load(models.clone(tiny.base("llama")), rows[1], tmp_path)


def test_a_tuner_gets_a_config_of_the_very_class_that_its_folder_defines(tmp_path, monkeypatch):
    bitfit = Path(__file__).parents[2] / "methods/bitfit"
    shutil.copytree(bitfit, tmp_path / "bitfit")
    model = (bitfit / "model.py").read_text()
    head = "    def _prepare_adapter_config("
    hook = "    def _pre_injection_hook(self, model, config, adapter_name):\n"
    strict = f"{hook}        assert isinstance(config, BitFitConfig)\n\n"
    (tmp_path / "bitfit/model.py").write_text(model.replace(head, strict + head, 1))
    monkeypatch.setenv("PEFT_DIR", str(tmp_path))
    attached = providers.attach(models.clone(tiny.base("llama")), row(type="bitfit"), seed=0)
    assert attached.trainable_parameters() > 0
