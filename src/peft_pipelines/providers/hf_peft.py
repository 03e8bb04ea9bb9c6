"""Methods of Hugging Face ``peft``: any tuner that it registers, by its type's name."""

from collections.abc import Callable
from pathlib import Path

import peft
import torch
from peft import PeftConfig, PeftModel, PeftType, TaskType, get_peft_model
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from transformers import Cache, DynamicCache, PreTrainedModel

from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.providers.attached import Attached
from peft_pipelines.providers.fields import build, check_targets, dataclass_fields, linear_modules, one_line
from peft_pipelines.specs import MethodSpec

NOT_FOR_ROWS = {"peft_type", "task_type", "inference_mode", "base_model_name_or_path", "auto_mapping", "peft_version"}


def check(method: MethodSpec, skeleton: PreTrainedModel) -> None:
    """Build the config and attach it to the skeleton, which has the model's modules but no weights."""
    config = _config(method)
    check_targets(method, skeleton)
    try:
        with torch.device("meta"):
            get_peft_model(skeleton, config)
    except (TypeError, ValueError, AttributeError) as fault:
        raise ConfigError(
            f"method '{method.name}' on model type '{skeleton.config.model_type}': {_reason(fault, skeleton)}"
        ) from None


def fingerprint(method: MethodSpec) -> str:
    """The library's release."""
    return f"peft {peft.__version__}"


def attach(clone: PreTrainedModel, method: MethodSpec) -> Attached:
    """A new, untrained instance of the method."""
    return _attached(get_peft_model(clone, _config(method)), method)


def save(attached: Attached, folder: Path) -> None:
    """As ``PeftModel.from_pretrained`` reads it, without the library's card and without paths of this machine."""
    model = attached.handle
    config = model.active_peft_config
    config.base_model_name_or_path = attached.core.name_or_path
    for name, value in vars(config).items():
        if isinstance(value, set):  # would be written in another order by each process
            setattr(config, name, sorted(value))
    model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)


def load(clone: PreTrainedModel, method: MethodSpec, folder: Path) -> Attached:
    """The saved instance, trainable. The library reads soft prompts back as frozen ones only."""
    soft = PeftConfig.from_pretrained(str(folder)).is_prompt_learning
    model = PeftModel.from_pretrained(clone, str(folder), is_trainable=not soft)
    if soft:
        model.prompt_encoder.requires_grad_(True)
    return _attached(model, method)


def _config(method: MethodSpec) -> PeftConfig:
    types = {str(kind.value): config for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if method.type not in types:
        raise unknown(f"method '{method.name}'", "type", method.type, sorted(types))
    allowed = [name for name in dataclass_fields(types[method.type]) if name not in NOT_FOR_ROWS]
    return build(types[method.type], allowed, method, task_type=TaskType.CAUSAL_LM)


def _attached(model: PeftModel, method: MethodSpec) -> Attached:
    core = model.get_base_model()
    start = _soft_prompt(model, core) if model.active_peft_config.is_prompt_learning else None
    cached = model.active_peft_config.peft_type in (PeftType.PREFIX_TUNING, PeftType.CARTRIDGE)
    refuses = {"gradient_checkpointing": "without a cache its keys and values get no gradient"} if cached else {}
    return Attached(method, core, model, handle=model, start=start, refuses=refuses)


def _soft_prompt(model: PeftModel, core: PreTrainedModel) -> Callable[[], Cache]:
    """The keys and values of the virtual tokens: given by the method, or what the model makes of its embeddings."""

    def start() -> Cache:
        prompt = model.get_prompt(batch_size=1)
        if isinstance(prompt, Cache):
            return prompt
        cache = DynamicCache(config=core.config)
        return core(inputs_embeds=prompt.to(core.dtype), past_key_values=cache, use_cache=True).past_key_values

    return start


def _reason(fault: Exception, skeleton: PreTrainedModel) -> str:
    message = one_line(fault)
    if "target" not in message.lower():
        return message
    linear = ", ".join(linear_modules(skeleton))
    return f"{message.split('. Please')[0]}. Linear modules of the model: {linear}"
