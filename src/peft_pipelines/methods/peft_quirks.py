"""Peculiarities of single tuners: reasons to refuse them, and calls that they need in the training loop."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftConfig, PeftModel, PeftType
from torch import nn

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError

_MIXES = "it mixes adapters that have been trained before"
REFUSED_TYPES = {
    "CPT": "its loss weighs the tokens of an example by their part, which a task's row does not name",
    "LILY": "its router mixes all tokens of a batch, so that an answer would depend on the rows beside it",
    "POLY": "it needs the task of each example, and a cell has one task",
    "XLORA": _MIXES,
}
"""Types of ``peft`` that cannot be used by a row alone, and the reason."""

_PLACES = "it changes the first and the last places of what a forward is given, which a cache and a shared prefix move"
REFUSED_CLASSES = {
    **dict.fromkeys(("ReftConfig", "LoReftConfig", "NoReftConfig", "DiReftConfig"), _PLACES),
    **dict.fromkeys(("AdapterFusionConfig", "StaticAdapterFusionConfig", "DynamicAdapterFusionConfig"), _MIXES),
    "PrefixTuningConfig": "the library cannot save it as safetensors; provider hf_peft has PREFIX_TUNING",
    "PromptTuningConfig": "the library has no place for it in these models; provider hf_peft has PROMPT_TUNING",
}
"""Classes of ``adapters`` that cannot be used by a row alone, and the reason."""

REFUSED_STARTS = {
    "corda": "it starts from a pass over data",
    "eva": "it starts from a pass over data",
    "lora_ga": "it starts from a pass over data",
    "loftq": "it quantises the base by itself",
}
"""Ways to start an adapter (``init_lora_weights``) that need more than the base model."""

DRAWS = "it draws at random for each token, which one draw for all rows would change"
OWN_CACHE = "it keeps a second cache beside the model's"
CACHED_ONLY = "without a cache its keys and values get no gradient"
REFUSES: dict[str, dict[str, str]] = {
    "CARTRIDGE": {"gradient_checkpointing": CACHED_ONLY},
    "PREFIX_TUNING": {"gradient_checkpointing": CACHED_ONLY},
    "PVERA": {"shared_prefix": DRAWS},
    "SHADOW": {"shared_prefix": OWN_CACHE},
}
"""By type, the fields of the training arguments that it cannot be trained with, and the reason."""


def check_type(method: MethodSpec) -> None:
    """Raise ConfigError for a type that cannot be used by a row alone."""
    reason = (REFUSED_TYPES if method.provider == "hf_peft" else REFUSED_CLASSES).get(method.type)
    if reason:
        raise ConfigError(f"method '{method.name}': type {method.type} is not for a row: {reason}")


def check_values(method: MethodSpec, config: PeftConfig) -> None:
    """Raise ConfigError for values that the library accepts and that have no effect or fail during training."""
    where = f"method '{method.name}', config"
    start = str(getattr(config, "init_lora_weights", ""))
    if start in REFUSED_STARTS:
        raise ConfigError(f"{where}: init_lora_weights must not be '{start}': {REFUSED_STARTS[start]}")
    if config.is_prompt_learning and not config.num_virtual_tokens:
        raise ConfigError(f"{where}: num_virtual_tokens must be a number of tokens, got {config.num_virtual_tokens}")
    tasks = len(method.train_on or [method.name])
    if getattr(config, "num_tasks", tasks) != tasks:
        raise ConfigError(f"{where}: num_tasks must be {tasks}, the tasks learnt together, got {config.num_tasks}")
    if getattr(config, "auxiliary_loss_weight", 0):
        raise ConfigError(
            f"{where}: auxiliary_loss_weight must be 0, got {config.auxiliary_loss_weight}: the answer's loss is all"
        )


def placeholders(config_class: Any) -> dict[str, Any]:
    """Return placeholders for values that are known when training begins: the number of steps, which ``begin`` sets."""
    return {"total_step": sys.maxsize} if hasattr(config_class, "total_step") else {}


def refuses(config: PeftConfig) -> dict[str, str]:
    """Return the fields of the training arguments that the method cannot be trained with, and the reasons."""
    reasons = dict(REFUSES.get(str(PeftType(config.peft_type).value), {}))
    if getattr(config, "monteclora_config", None):
        reasons["shared_prefix"] = DRAWS
    return reasons


def begin(model: PeftModel, method: MethodSpec) -> Callable[[int], None] | None:
    """Return the function that gives the number of steps to a schedule of ranks; None for methods without one."""
    config = model.active_peft_config
    if not hasattr(config, "total_step"):
        return None

    def set_steps(steps: int) -> None:
        if config.tinit >= steps - config.tfinal:
            raise ConfigError(
                f"method '{method.name}', config: tinit and tfinal must leave steps between them, "
                f"got {config.tinit} and {config.tfinal} of {steps}"
            )
        config.total_step = steps

    return set_steps


def after_step(model: PeftModel) -> Callable[[int], None] | None:
    """Return the function that moves a schedule of ranks on by a step; None for methods without one."""
    update: Callable[[int], None] | None = getattr(model.base_model, "update_and_allocate", None)
    return update


@contextmanager
def unpruned(config: PeftConfig) -> Iterator[None]:
    """Save a schedule's adapter at its first rank, with zeros where ranks were taken away.

    The library would leave them out, and divide what is left by a smaller rank when it reads it.
    """
    if not hasattr(config, "total_step"):
        yield
        return
    pattern, config.rank_pattern = config.rank_pattern, None
    try:
        yield
    finally:
        config.rank_pattern = pattern


def penalty(model: PeftModel) -> Callable[[], torch.Tensor] | None:
    """Return the function that computes the penalty of the method's paper; None for methods without one."""
    config, tuner = model.active_peft_config, model.base_model
    if getattr(config, "orth_reg_weight", 0):
        return lambda: config.orth_reg_weight * _orthogonality(tuner)
    for field, term in (("kasa_config", "_get_kasa_loss"), ("monteclora_config", "_get_monteclora_loss")):
        if getattr(config, field, None):
            function: Callable[[], torch.Tensor] = getattr(tuner, term)
            return function
    return None


def _orthogonality(tuner: nn.Module) -> torch.Tensor:
    """Mean over the factors of the norms of A Aᵀ - 1 and Bᵀ B - 1, which is 0 for orthogonal ones."""
    factors = [value if "lora_A" in name else value.T for name, value in tuner.named_parameters() if _is_factor(name)]
    return torch.stack(
        [
            torch.norm(value @ value.T - torch.eye(len(value), dtype=value.dtype, device=value.device))
            for value in factors
        ]
    ).mean()


def _is_factor(name: str) -> bool:
    return "lora_A" in name or "lora_B" in name
