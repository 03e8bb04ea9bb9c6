"""Packages on PyPI that their authors wrote for peft; each test is skipped where its package is not installed."""

from importlib.metadata import PackageNotFoundError, version

import pytest
import tiny
import torch
from resumed import resumes
from safetensors.torch import load_file

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model

TOKENS = tiny.ids(12, rows=2)
LINEAR = [family for family in tiny.FAMILIES if family != "gpt2"]


def row(package: str, kind: str, **config: object) -> MethodSpec:
    try:
        version(package)
    except PackageNotFoundError:
        pytest.skip(f"package {package} is not installed here; 'pip install --no-deps {package}' does that")
    values = {"name": "published", "provider": "custom", "package": package, "type": kind, "family": "reparameterised"}
    return MethodSpec(**values, config=config, training={}, citation="-")


def aurora(family: str) -> MethodSpec:
    targets = tiny.retargeted("lora", family).config["target_modules"]
    return row("aurora-peft", "AURORA", r=4, target_modules=targets)


@pytest.mark.parametrize("family", LINEAR)
def test_aurora_starts_at_the_base_is_saved_and_goes_on(family, tmp_path):
    method, base = aurora(family), tiny.base(family)
    attached = providers.attach(base_model.clone(base), method, seed=0)
    assert torch.equal(tiny.logits(attached.plain.eval(), TOKENS), tiny.logits(base, TOKENS))
    expected = tiny.logits(tiny.stir(attached).plain, TOKENS)
    assert not torch.equal(expected, tiny.logits(base, TOKENS))
    providers.save(attached, tmp_path)
    assert all("aurora_" in name for name in load_file(tmp_path / "adapter_model.safetensors"))
    loaded = providers.load(base_model.clone(base), method, tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), expected)
    cached, uncached = (greedy(loaded, use_cache) for use_cache in (True, False))
    assert torch.equal(cached, uncached)
    resumes(method, family, tmp_path)


def greedy(attached: providers.Attached, use_cache: bool) -> torch.Tensor:
    asked = {"attention_mask": torch.ones_like(TOKENS), "max_new_tokens": 6, "do_sample": False}
    found: torch.Tensor = attached.core.generate(TOKENS, **asked, use_cache=use_cache, pad_token_id=257)
    return found


def test_aurora_does_not_take_conv1d():
    with pytest.raises(ConfigError, match="package 'aurora-peft' on model type 'gpt2': TypeError: Target module"):
        providers.check(aurora("gpt2"), tiny.skeleton("gpt2"))


def test_bicep_looks_ahead():
    method = row("bicep", "BICEP", d_head=16)
    providers.check(method, tiny.skeleton("llama"))
    with pytest.raises(ConfigError, match="package 'bicep': an answer changes with tokens behind it"):
        providers.attach(base_model.clone(tiny.base("llama")), method, seed=0)


def test_singlora_brings_no_tuner_of_its_own():
    with pytest.raises(ConfigError, match="package 'peft-singlora': must register its methods with peft, or show one"):
        providers.check(row("peft-singlora", "SINGLORA"), tiny.skeleton("llama"))
