"""The optimizers that a method row may name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from peft.optimizers import create_loraplus_optimizer
from pydantic import Field
from torch import nn
from torch.optim import AdamW, Optimizer
from transformers.pytorch_utils import Conv1D
from transformers.trainer_pt_utils import get_parameter_names

from peft_pipelines.config import MethodSpec, Spec, TrainingSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.galore import LowRankAdamW

PLAIN = "adamw"
ADAM: dict[str, Any] = {"betas": (0.9, 0.999), "eps": 1e-8}
NOT_DECAYED = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
"""Names of parameters without weight decay, as the Trainer has them."""


class NoOptions(Spec):
    """No options: AdamW takes all that it needs from the training arguments."""


class LoraPlusOptions(Spec):
    """The options of LoRA+."""

    ratio: Annotated[float, Field(ge=1, le=1_000_000)] = Field(
        description="The learning rate of the LoRA factor next to the output over that of the other one, 1 to 1000000.",
    )


class LowRankOptions(Spec):
    """The options of GaLore."""

    rank: Annotated[int, Field(ge=1, le=100_000)] = Field(
        description="The rank that gradients are projected to, 1 to 100000.",
    )
    update_proj_gap: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        description="The steps that a projection is kept for.",
    )
    scale: Annotated[float, Field(gt=0, le=10_000)] = Field(description="The factor of the update, above 0.")


def check(method: MethodSpec) -> Any:
    """Return the options of the row's optimizer.

    Raises:
        ConfigError: its type is unknown; an option is unknown, missing or of the wrong type.
    """
    where = f"method '{method.name}', optimizer"
    options = dict(method.optimizer)
    kind = options.pop("type", None)
    if kind not in KINDS:
        raise unknown(where, "type", kind, KINDS)
    return parse(KINDS[kind].options, where, options)


def build(attached: Attached, training_args: TrainingSpec, method: MethodSpec) -> Optimizer:
    """Return the optimizer of all that the method trains. Its state is tensors and numbers only.

    Raises:
        ConfigError: as ``check``, or the method trains nothing that this optimizer is for.
    """
    return KINDS[method.optimizer["type"]].build(attached, training_args, check(method))


def is_picky(method: MethodSpec) -> bool:
    """Whether ``build`` may refuse a row that ``check`` accepts, by the parameters that the method trains."""
    return KINDS[method.optimizer["type"]].picky


def _adamw(attached: Attached, training_args: TrainingSpec, options: NoOptions) -> Optimizer:
    groups = _by_decay(attached.trainable(), _decayed(attached.plain), training_args)
    return AdamW(groups, lr=training_args.learning_rate, fused=True, **ADAM)


def _lora_plus(attached: Attached, training_args: TrainingSpec, options: LoraPlusOptions) -> Optimizer:
    """Groups of parameters as peft makes them; its second and third one get the higher rate."""
    optimizer: Optimizer = create_loraplus_optimizer(
        attached.plain,
        AdamW,
        lr=training_args.learning_rate,
        loraplus_lr_ratio=options.ratio,
        loraplus_weight_decay=training_args.weight_decay,
        fused=True,
        **ADAM,
    )
    faster = [group for group in optimizer.param_groups if group["lr"] > training_args.learning_rate]
    if options.ratio > 1 and not any(value.dim() > 1 for group in faster for value in group["params"]):
        raise _unfit(attached.method, "for pairs of factors, and the method trains none")
    return optimizer


def _low_rank(attached: Attached, training_args: TrainingSpec, options: LowRankOptions) -> Optimizer:
    """Gradients of linear layers but the output head are projected; all other parameters are trained as by AdamW."""
    head = attached.core.get_output_embeddings()
    linear = [part for part in attached.core.modules() if isinstance(part, nn.Linear | Conv1D) and part is not head]
    matrices = {id(part.weight) for part in linear}
    trained = attached.trainable()
    projected = [value for value in trained.values() if id(value) in matrices]
    if not projected:
        raise _unfit(attached.method, "for the weights of linear layers, and the method trains none")
    others = {name: value for name, value in trained.items() if id(value) not in matrices}
    groups = _by_decay(others, _decayed(attached.plain), training_args)
    low = {"params": projected, "weight_decay": training_args.weight_decay, **options.model_dump()}
    return LowRankAdamW([*groups, low], lr=training_args.learning_rate, **ADAM)


def _unfit(method: MethodSpec, reason: str) -> ConfigError:
    return ConfigError(
        f"method '{method.name}', optimizer: type '{method.optimizer['type']}' is {reason}; choose {PLAIN}"
    )


def _by_decay(
    trained: Mapping[str, nn.Parameter], decayed: set[str], training_args: TrainingSpec
) -> list[dict[str, Any]]:
    return [
        {
            "params": [value for name, value in trained.items() if name in decayed],
            "weight_decay": training_args.weight_decay,
        },
        {"params": [value for name, value in trained.items() if name not in decayed], "weight_decay": 0.0},
    ]


def _decayed(model: nn.Module) -> set[str]:
    return set(get_parameter_names(model, [nn.LayerNorm], NOT_DECAYED))


@dataclass(frozen=True)
class Kind:
    """An optimizer and its options; ``picky`` if it is for some methods only."""

    options: type[Spec]
    build: Callable[[Attached, TrainingSpec, Any], Optimizer]
    picky: bool = False


KINDS = {
    PLAIN: Kind(NoOptions, _adamw),
    "loraplus_adamw": Kind(LoraPlusOptions, _lora_plus, picky=True),
    "galore_adamw": Kind(LowRankOptions, _low_rank, picky=True),
}
