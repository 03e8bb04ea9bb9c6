"""What a method keeps beside its parameters is found wherever it is, and comes back."""

import random
import shutil
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
import torch
from base_rows import PROJECT
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from resumed import resumes

from peft_pipelines.config import MethodSpec
from peft_pipelines.methods import providers
from peft_pipelines.methods.kept import KEPT, Kept, restore
from peft_pipelines.models import base_model

SCHEDULED = MethodSpec(
    name="tuner",
    provider="hf_peft",
    type="ADALORA",
    family="reparameterised",
    config={"init_r": 6, "target_r": 2, "deltaT": 1},
    training={},
    citation="-",
)


def scheduled() -> providers.Attached:
    return providers.attach(base_model.clone(tiny.base("llama")), SCHEDULED, 0)


def test_the_averages_of_a_schedule_are_in_the_state(tmp_path):
    attached = scheduled()
    kept = Kept(attached)
    attached.begin(9)
    averages = attached.handle.base_model.rankallocator.exp_avg_ipt
    averages["layer"] = torch.tensor([0.25, 4.0])
    kept.save(tmp_path)
    other = scheduled()
    restore(other, tmp_path)
    assert other.handle.active_peft_config.total_step == 9
    assert other.handle.base_model.rankallocator.exp_avg_ipt["layer"].tolist() == [0.25, 4.0]


class Keeper:
    """What an author may keep outside of any module."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen = {"steps": 0, (1, 2): [1.5, float("inf")]}


def with_all_kinds() -> providers.Attached:
    attached = tiny.attach("lora", "llama")
    part = attached.core.model.layers[0]
    part.register_buffer("running", torch.zeros(2), persistent=False)
    part.average = torch.zeros(2, dtype=torch.bfloat16)
    part.frozen = torch.nn.Parameter(torch.zeros(3), requires_grad=False)
    part.count, part.keeper, part.space = 0, Keeper(), SimpleNamespace(value=1)
    part.draws = [
        torch.Generator().manual_seed(1),
        random.Random(1),
        np.random.default_rng(1),
        np.random.RandomState(1),
    ]
    part.window, part.names, part.array = deque([1], maxlen=2), {"a"}, np.zeros(2)
    return attached


def draw(part: torch.nn.Module) -> list[float]:
    mine, pythons, new, old = part.draws
    return [torch.rand(1, generator=mine).item(), pythons.random(), float(new.random()), float(old.random_sample())]


def test_all_kinds_of_keeping_come_back(tmp_path):
    attached, other = with_all_kinds(), with_all_kinds()
    kept = Kept(attached)
    kept.save(tmp_path)
    assert not (tmp_path / KEPT).exists()
    part, found = attached.core.model.layers[0], other.core.model.layers[0]
    part.running += 1
    part.average = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    part.frozen.data.mul_(0).add_(7)
    part.count, part.space.value = 3, None
    part.keeper.seen["steps"] = 5
    part.keeper.seen["new"] = torch.ones(1)
    part.window.extend([2, 3])
    part.names.add("b")
    part.array[:] = 4
    draw(part)
    kept.save(tmp_path)
    draws, kept_list = found.draws, found.window
    restore(other, tmp_path)
    assert found.running.tolist() == [1, 1]
    assert (found.average.tolist(), found.average.dtype) == ([1.5, -2.0], torch.bfloat16)
    assert found.frozen.tolist() == [7, 7, 7]
    assert (found.count, found.space.value) == (3, None)
    assert {key: found.keeper.seen[key] for key in ("steps", (1, 2))} == {"steps": 5, (1, 2): [1.5, float("inf")]}
    assert found.keeper.seen["new"].tolist() == [1]
    assert (found.window, found.window.maxlen, found.names) == (deque([2, 3], maxlen=2), 2, {"a", "b"})
    assert found.array.tolist() == [4, 4]
    assert found.draws is draws
    assert found.window is kept_list
    assert draw(found) == draw(part)


AT_THE_START = """
        self.draws, self.forwards = torch.Generator().manual_seed(3), 0
        self.register_buffer("running", torch.zeros(()), persistent=False)
"""
IN_A_STEP = """
        if self.training:
            self.forwards += 1
            self.running.mul_(0.9).add_(0.1 * x.detach().mean())
            change = change * (0.5 + torch.rand((), generator=self.draws)) + self.running / self.forwards
"""


def test_an_authors_generator_counter_and_average_are_resumed(tmp_path, monkeypatch):
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "methods"))
    folder = shutil.copytree(PROJECT / "methods/svft", tmp_path / "methods/keeping")
    text = (folder / "model.py").read_text()
    for before, added in (("        self.svft_m = ", AT_THE_START), ("        return base + change", IN_A_STEP)):
        assert text.count(before) == 1
        text = text.replace(before, f"{added}{before}")
    (folder / "model.py").write_text(text)
    resumes(tiny.METHODS["svft"].model_copy(update={"type": "keeping"}), "llama", tmp_path)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_schedule_of_ranks_is_resumed_on_every_family(family, tmp_path):
    targets = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING[tiny.CONFIGS[family]().model_type]
    config = {**SCHEDULED.config, "target_modules": list(targets)}
    resumes(SCHEDULED.model_copy(update={"config": config}), family, tmp_path)
