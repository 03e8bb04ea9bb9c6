"""The Trainer's own AdamW, the library's groups, the published low-rank steps; wrong options are refused."""

import pytest
import tiny
import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.models_check import check_method
from peft_pipelines.training import optimizers
from peft_pipelines.training.galore import LowRankAdamW

ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}


def row(name: str = "lora", **optimizer) -> MethodSpec:
    return tiny.METHODS[name].model_copy(update={"optimizer": optimizer})


def built(name: str, family: str = "llama", **values):
    attached = tiny.attach(name, family)
    return attached, optimizers.build(attached, tiny.training_args(**values), attached.method)


def named(attached, optimizer) -> list[tuple[list[str], dict]]:
    """The groups by the names of their parameters."""
    names = {id(value): name for name, value in attached.trainable().items()}
    return [
        ([names[id(value)] for value in group["params"]], {key: group[key] for key in ("lr", "weight_decay")})
        for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("name", ["lora", "ln_tuning", "full"])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_adamw_is_the_trainers_own(name, family, tmp_path):
    attached, own = built(name, family, learning_rate=0.01, weight_decay=0.1)
    arguments = TrainingArguments(
        output_dir=str(tmp_path), learning_rate=0.01, weight_decay=0.1, report_to=[], use_cpu=True
    )
    theirs = Trainer(model=attached.plain, args=arguments).create_optimizer()
    assert type(own) is type(theirs)
    assert named(attached, own) == named(attached, theirs)
    assert own.defaults == {**theirs.defaults, "weight_decay": own.defaults["weight_decay"]}
    options = [{key: value for key, value in group.items() if key != "params"} for group in own.param_groups]
    assert options == [{key: value for key, value in group.items() if key != "params"} for group in theirs.param_groups]


def test_the_factor_next_to_the_output_learns_at_a_multiple():
    attached, optimizer = built("lora_plus", learning_rate=0.001, weight_decay=0.1)
    rates = {name: options for names, options in named(attached, optimizer) for name in names}
    assert rates.keys() == attached.trainable().keys()
    for name, options in rates.items():
        assert options["lr"] == pytest.approx(0.016 if "lora_B" in name else 0.001)
        assert options["weight_decay"] == 0.1


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_matrices_of_linear_layers_are_projected_and_all_else_is_not(family):
    attached, optimizer = built("galore", family)
    low = {id(value) for group in optimizer.param_groups if group["rank"] for value in group["params"]}
    every = [id(value) for group in optimizer.param_groups for value in group["params"]]
    assert len(every) == len(set(every)) == len(attached.trainable())
    for name, value in attached.trainable().items():
        outside = any(part in name for part in ("embed", "wte", "wpe", "lm_head"))
        assert (id(value) in low) == (value.dim() == 2 and not outside), name


def toy() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(24, 40), nn.Tanh(), nn.Linear(40, 12))


def stepped(model: nn.Sequential, optimizer: torch.optim.Optimizer, steps: range) -> float:
    loss = torch.zeros(())
    for step in steps:
        draw = torch.Generator().manual_seed(step)
        inputs, wanted = torch.randn(32, 24, generator=draw), torch.randn(32, 12, generator=draw)
        loss = (model(inputs) - wanted).pow(2).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def low_rank(model: nn.Sequential, **options) -> LowRankAdamW:
    low = {"rank": 6, "update_proj_gap": 4, "scale": 0.25, "weight_decay": 0.01, **options}
    matrices = [part.weight for part in model if isinstance(part, nn.Linear)]
    rest = [part.bias for part in model if isinstance(part, nn.Linear)]
    return LowRankAdamW([{"params": rest}, {"params": matrices, **low}], lr=0.01, **ADAM)


PUBLISHED = {1: 1.0809213, 3: 0.9868277, 10: 1.0193266, 50: 1.1268171}
"""By steps the loss of the last one, as the release 1.0 of the method's authors' library computes it."""


@pytest.mark.parametrize("steps", PUBLISHED)
def test_low_rank_steps_are_those_of_the_authors_library(steps):
    model = toy()
    assert stepped(model, low_rank(model), range(steps)) == pytest.approx(PUBLISHED[steps], rel=1e-5)


def test_without_a_rank_it_is_adamw():
    """But for eps, which is added before the second moment is corrected, as the authors have it."""
    one, other, options = toy(), toy(), {**ADAM, "eps": 1e-16}
    stepped(one, LowRankAdamW([{"params": list(one.parameters())}], lr=0.01, **options), range(20))
    stepped(other, torch.optim.AdamW(other.parameters(), lr=0.01, weight_decay=0.0, **options), range(20))
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_rank_beyond_the_matrix_is_its_whole_space():
    model = toy()
    assert stepped(model, low_rank(model, rank=100), range(30)) < 2
    state = low_rank(model, rank=100).state
    assert not state


def test_the_low_rank_state_is_small_tensors_that_go_on_bit_for_bit(tmp_path):
    whole = toy()
    stepped(whole, low_rank(whole), range(11))
    model = toy()
    optimizer = low_rank(model)
    stepped(model, optimizer, range(6))
    torch.save(optimizer.state_dict(), tmp_path / "optimizer.pt")
    state = torch.load(tmp_path / "optimizer.pt", weights_only=True)
    kept = [value for each in state["state"].values() for value in each.values()]
    assert all(isinstance(value, torch.Tensor) for value in kept)
    assert sum(value.numel() for value in kept) < 2 * sum(value.numel() for value in model.parameters())
    again = low_rank(model)
    again.load_state_dict(state)
    stepped(model, again, range(6, 11))
    for mine, theirs in zip(model.parameters(), whole.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", tiny.METHODS)
def test_each_rows_options_are_sound(name):
    optimizers.check(tiny.METHODS[name])


WRONG = [
    ({"type": "adamv"}, "unknown type 'adamv', did you mean 'adamw'? Allowed: adamw, loraplus_adamw, galore_adamw"),
    ({}, "unknown type 'None'. Allowed: adamw, loraplus_adamw, galore_adamw"),
    ({"type": "adamw", "lr": 1.0}, "unknown field 'lr'. Allowed: none"),
    (
        {"type": "galore_adamw", "rnk": 4, "update_proj_gap": 2, "scale": 1.0},
        "rank: Field required",
    ),
    (
        {"type": "galore_adamw", "rank": 4, "update_proj_gap": 2, "scale": 1.0, "scle": 1.0},
        "unknown field 'scle', did you mean 'scale'? Allowed: rank, update_proj_gap, scale",
    ),
    (
        {"type": "galore_adamw", "rank": 0, "update_proj_gap": 2, "scale": 1.0},
        "rank: Input should be greater than or equal to 1, got 0",
    ),
    ({"type": "loraplus_adamw", "ratio": "16"}, "ratio: Input should be a valid number, got '16'"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_wrong_options_are_refused_in_one_line(options, words):
    with pytest.raises(ConfigError) as caught:
        optimizers.check(row(**options))
    assert str(caught.value).startswith("method 'lora', optimizer")
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["bitfit", "full"])
def test_a_method_without_pairs_of_factors_is_refused(name):
    attached = tiny.attach(name, "llama")
    attached.method = row(name, type="loraplus_adamw", ratio=16.0)
    assert optimizers.is_picky(attached.method)
    with pytest.raises(ConfigError) as caught:
        optimizers.build(attached, tiny.training_args(), attached.method)
    assert str(caught.value) == (
        f"method '{name}', optimizer: type 'loraplus_adamw' is for pairs of factors, and the method trains none; "
        "choose adamw"
    )


def test_it_is_refused_before_a_weight_is_read():
    method = row("bitfit", type="loraplus_adamw", ratio=16.0)
    with pytest.raises(ConfigError, match="the method trains none; choose adamw"):
        check_method(method, tiny.skeleton("llama"), tiny.training_args())
    check_method(tiny.METHODS["lora_plus"], tiny.skeleton("llama"), tiny.training_args())
