"""Methods of Hugging Face ``peft``: any tuner that it registers, by its type's name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel, PeftType, TaskType, get_peft_model
from transformers import Cache, DynamicCache, PreTrainedModel

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods import peft_pissa, peft_precision, peft_quirks, peft_types
from peft_pipelines.methods.attached import Attached
from peft_pipelines.methods.config_check import (
    build,
    check_targets,
    check_trains,
    common_divisors,
    dataclass_fields,
    linear_modules,
    one_line,
)

NOT_FOR_ROWS = {
    *("peft_type", "task_type", "inference_mode", "base_model_name_or_path", "auto_mapping", "peft_version"),
    *(
        "revision",
        "runtime_config",
        "megatron_config",
        "megatron_core",
        "ephemeral_gpu_offload",
    ),  # how it runs, not what it is
    *("tokenizer_name_or_path", "tokenizer_kwargs", "prompt_tuning_init_text"),  # read from the network
    *("arrow_config", "corda_config", "eva_config", "loftq_config", "lora_ga_config"),  # need data or other adapters
    *("alora_invocation_tokens",),  # changes only what stands behind these tokens, which no prompt holds
}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> int:
    """Build the config, attach it to the skeleton, which has no weights, and return the bytes of what is trained."""
    config = _config(method)
    check_targets(method, skeleton)
    try:
        with torch.device("meta"):
            model = get_peft_model(skeleton, config)
    except (NotImplementedError, RuntimeError) as error:
        if "meta" not in str(error).lower():
            raise _refused(method, skeleton, error) from None
        return 0  # it starts from the weights' values: what is not checked here shows when it is attached
    except Exception as error:  # the library raises all kinds of exceptions for mistakes in a row
        raise _refused(method, skeleton, error) from None
    return check_trains(method, model)


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """Attach a new, untrained instance of the method."""
    config = _config(method)
    shared = peft_pissa.unshare(clone, config)
    model = get_peft_model(clone, config)
    start = peft_pissa.start_of(model, shared)
    peft_pissa.reshare(model.get_base_model(), shared)
    attached = _attached(model, method)
    attached.initial = start
    return attached


def save(attached: Attached, folder: Path) -> None:
    """Write the method as ``PeftModel.from_pretrained`` reads it, without the library's card and local paths."""
    model = attached.handle
    config = model.active_peft_config
    config.base_model_name_or_path = attached.core.name_or_path
    for name, value in vars(config).items():
        if isinstance(value, set):  # would be written in another order by each process
            setattr(config, name, sorted(value))
    if attached.initial:
        peft_pissa.save(model, attached.initial, folder)
        return
    with peft_quirks.unpruned(config):
        model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """Attach the instance in a folder, trainable; the library itself reads soft prompts as frozen ones only."""
    config = PeftConfig.from_pretrained(str(folder))
    if peft_pissa.rounds(clone, _config(method), config):
        return _attached(peft_pissa.load(clone, config, folder), method)
    soft, shared = config.is_prompt_learning, peft_pissa.unshare(clone, config)
    model = PeftModel.from_pretrained(clone, str(folder), is_trainable=not soft)
    peft_pissa.reshare(model.get_base_model(), shared)
    if soft:
        model.prompt_encoder.requires_grad_(True)
    else:
        peft_precision.widen(model, folder)
    return _attached(model, method)


def merge(attached: Attached) -> PreTrainedModel:
    """Return the model with the method merged into its weights by the library's own ``merge_and_unload``.

    Raises:
        ConfigError: the method cannot be merged; the message says why.
    """
    where = f"method '{attached.method.name}': cannot be merged"
    if attached.start:
        raise ConfigError(f"{where}: a soft prompt is no part of the weights")
    try:
        return attached.handle.merge_and_unload()
    except (NotImplementedError, AttributeError, ValueError) as error:
        raise ConfigError(f"{where}: {one_line(error)}") from None


def _config(method: MethodSpec) -> PeftConfig:
    types = peft_types.own()
    if method.type not in types:
        raise unknown(f"method '{method.name}'", "type", method.type, sorted(types))
    peft_quirks.check_type(method)
    kind = types[method.type]
    allowed = [name for name in dataclass_fields(kind) if name not in NOT_FOR_ROWS]
    config = build(kind, allowed, method, task_type=TaskType.CAUSAL_LM, **peft_quirks.placeholders(kind))
    peft_quirks.check_values(method, config)
    return config


def _attached(model: PeftModel, method: MethodSpec) -> Attached:
    core, config = model.get_base_model(), model.active_peft_config
    several = config.peft_type == PeftType.MULTITASK_PROMPT_TUNING
    selected = SelectedTask()
    if config.is_prompt_learning:
        peft_precision.encode_in_single(model)
    if several:
        model.register_forward_pre_hook(selected.hand_over, with_kwargs=True)
    return Attached(
        method,
        core,
        model,
        handle=model,
        start=_soft_prompt(model, core, selected) if config.is_prompt_learning else None,
        refuses=peft_quirks.refuses(config),
        begin=peft_quirks.begin(model, method),
        after_step=peft_quirks.after_step(model),
        penalty=peft_quirks.penalty(model),
        select=selected.select if several else None,
    )


class SelectedTask:
    """The task that a method of several tasks answers; the first one until another is selected."""

    def __init__(self) -> None:
        self.task = 0

    def select(self, task: int) -> None:
        """Select a task by its place."""
        self.task = task

    def ids(self, rows: int, device: torch.device) -> torch.Tensor:
        """Return the task's place for each example of a batch."""
        return torch.full((rows,), self.task, dtype=torch.long, device=device)

    def hand_over(
        self, model: PeftModel, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Add the task to the arguments of a forward, where the library expects it."""
        rows = kwargs["input_ids"]
        return args, {"task_ids": self.ids(len(rows), rows.device), **kwargs}


def _soft_prompt(model: PeftModel, core: PreTrainedModel, selected: SelectedTask) -> Callable[[], Cache]:
    """Return a function that computes the keys and values of the virtual tokens for one example."""

    def start() -> Cache:
        prompt = model.get_prompt(batch_size=1, task_ids=selected.ids(1, core.device))
        if isinstance(prompt, Cache):
            return prompt
        cache = DynamicCache(config=core.config)
        return core(inputs_embeds=prompt.to(core.dtype), past_key_values=cache, use_cache=True).past_key_values

    return start


def _refused(method: MethodSpec, skeleton: PreTrainedModel, error: Exception) -> ConfigError:
    where = f"method '{method.name}' on model type '{skeleton.config.model_type}'"
    return ConfigError(f"{where}: {_reason(error, method, skeleton)}")


def _reason(error: Exception, method: MethodSpec, skeleton: PreTrainedModel) -> str:
    message = one_line(error).rstrip(".")
    if any(word in message for word in ("divisible", "factor of", "divide")):
        sizes = ", ".join(map(str, common_divisors(skeleton, method.config.get("target_modules"))))
        return f"{message}. Sizes that divide all layers: {sizes}"
    if "target" not in message.lower():
        return message
    linear = ", ".join(linear_modules(skeleton))
    return f"{message.split('. Please')[0]}. Linear modules of the model: {linear}"
