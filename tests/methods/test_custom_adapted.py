"""Folders in the manner that PEFT-Factory publishes its own: they run as they are."""

from pathlib import Path

import packages
import peft
import pytest
import tiny
import torch
from safetensors.torch import load_file

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import custom_discovery, peft_types, providers
from peft_pipelines.models import base_model

SAVED = "adapter_model.safetensors"
TOKENS = tiny.ids(12, rows=2)
TEMPLATE_CONFIG = """
from peft import PeftConfig

class CustomMethodConfig(PeftConfig):
    def __post_init__(self):
        super().__post_init__()
        if self.task_type is None:
            raise ValueError("task_type must be specified.")
"""
TEMPLATE_MODEL = """
import torch.nn as nn
from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner

class CustomMethodModel(BaseTuner):
    def __init__(self, base_model: nn.Module, config: PeftConfig):
        super().__init__(base_model=base_model, config=config)
        self.base_model = base_model
        self.config = config
        self.adapters = nn.ModuleDict()

    def set_adapter(self, adapter_name: str) -> None:
        pass
"""
FILLED_IN = """
    prefix = "offset_"

    def _prepare_adapter_config(self, peft_config, model_config):
        return peft_config

    def _create_and_replace(self, peft_config, adapter_name, target, target_name, parent, current_key):
        target.offset_bias = nn.Parameter(target.weight.new_zeros(target.out_features))
        target.register_forward_hook(lambda module, args, output: output + module.offset_bias)

    def _mark_only_adapters_as_trainable(self, model):
        for name, value in model.named_parameters():
            value.requires_grad_("offset_" in name)
"""
FILLED_IN_CONFIG = """
        self.peft_type = "TEMPLATE_OFFSET"
        self.target_modules = ["q_proj"]
        self.exclude_modules = None
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PEFT_DIR", str(tmp_path))
    (tmp_path / "offset").mkdir()
    return tmp_path / "offset"


def write(folder: Path, config: str, model: str) -> None:
    (folder / "config.py").write_text(config)
    (folder / "model.py").write_text(model)


def row(**values) -> MethodSpec:
    usual = {"name": "mine", "provider": "custom", "type": "offset", "family": "selective", "config": {}}
    return MethodSpec(**{**usual, "training": {}, "citation": "-", **values})


def runs(method: MethodSpec, folder: Path) -> None:
    """It starts at the base, its loss falls, and what is saved and loaded gives equal logits."""
    providers.check(method, tiny.skeleton("llama"))
    base = tiny.base("llama")
    attached = providers.attach(base_model.clone(base), method, seed=0)
    assert torch.equal(tiny.logits(attached.plain, TOKENS), tiny.logits(base, TOKENS))
    losses = tiny.losses_of(attached, TOKENS, steps=8)
    assert losses[-1] < losses[0] - 0.05
    providers.save(attached, folder)
    loaded = providers.load(base_model.clone(base), method, folder)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain.eval(), TOKENS))


def test_a_folder_for_an_older_release_with_a_type_of_its_own_runs(folder, tmp_path):
    own = {"config": packages.CONFIG.replace("TILT", "TILT_IN_FOLDER"), "model": packages.MODEL}
    write(folder, **own)
    assert not hasattr(peft.PeftType, "TILT_IN_FOLDER")
    runs(row(config={"target_modules": ["q_proj", "v_proj"]}), tmp_path)
    assert peft.PeftType.OFFSET == "OFFSET"  # the folder's name, which PEFT-Factory adds
    with pytest.raises(ConfigError, match=r"unknown field 'width'. Allowed: rank, target_modules, exclude_modules$"):
        providers.check(row(config={"width": 2}), tiny.skeleton("llama"))


def test_a_folder_may_register_itself_with_the_library(folder, tmp_path):
    register = "\nfrom peft.utils import register_peft_method\nfrom .config import TiltConfig\n"
    register += 'register_peft_method(name="tilt", config_cls=TiltConfig, model_cls=TiltModel)\n'
    write(folder, packages.CONFIG, packages.MODEL + register)
    runs(row(config={"target_modules": ["q_proj"]}), tmp_path)
    assert "TILT" not in peft_types.own()


def test_arguments_that_do_not_hold_the_librarys_default_are_passed_on(folder):
    write(folder, packages.CONFIG, packages.MODEL)
    tuner = custom_discovery.discover("offset").tuner
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'inference_mode'"):
        tuner.set_adapter(None, "default", inference_mode=True)


def test_the_papers_template_as_it_stands_says_what_it_lacks(folder):
    write(folder, TEMPLATE_CONFIG, TEMPLATE_MODEL)
    with pytest.raises(ConfigError, match=r"CustomMethodModel in model.py has no prefix$"):
        providers.check(row(), tiny.skeleton("llama"))
    write(folder, TEMPLATE_CONFIG, TEMPLATE_MODEL + '    prefix = "offset_"\n')
    with pytest.raises(ConfigError, match=r"CustomMethodConfig in config.py has no peft_type$"):
        providers.check(row(), tiny.skeleton("llama"))


def test_the_papers_template_filled_in_runs_with_its_own_constructor(folder, tmp_path):
    write(folder, TEMPLATE_CONFIG + FILLED_IN_CONFIG, TEMPLATE_MODEL + FILLED_IN)
    runs(row(), tmp_path)


def test_a_frozen_copy_of_the_bases_weights_is_in_no_checkpoint(folder, tmp_path):
    made = "        self.tilt_down = "
    copying = "        self.tilt_copy = nn.Parameter(base_layer.weight.detach().clone(), requires_grad=False)\n"
    write(folder, packages.CONFIG, packages.MODEL.replace(made, copying + made))
    method = row(config={"target_modules": ["q_proj"]})
    attached = providers.attach(base_model.clone(tiny.base("llama")), method, seed=0)
    providers.save(attached, tmp_path)
    assert {name.split(".")[-2] for name in load_file(tmp_path / SAVED)} == {"tilt_down", "tilt_up"}
    layer = attached.core.model.layers[0].self_attn.q_proj
    layer.tilt_copy.data += 1  # a training has changed it: now it is the method's own
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base("llama")), method, tmp_path)
    assert torch.equal(loaded.core.model.layers[0].self_attn.q_proj.tilt_copy, layer.tilt_copy)
