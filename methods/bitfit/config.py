"""BitFit's configuration: which layers' biases are trained."""

from dataclasses import dataclass, field

from peft import PeftConfig


@dataclass
class BitFitConfig(PeftConfig):
    """BitFit (Ben Zaken et al. 2022).

    Args:
        target_modules: last parts of module names whose bias is trained; None for every linear and norm layer
            but the output head.
    """

    peft_type: str = "BITFIT"
    target_modules: list[str] | None = field(
        default=None, metadata={"help": "last parts of module names; None for all"}
    )
