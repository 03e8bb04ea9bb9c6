"""A method's row."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from peft_pipelines.config.spec import Count, Names, Options, Spec, Text

Family = Literal["reparameterised", "soft_prompt", "adapter", "selective", "baseline"]


UNTUNED = "none"
"""The provider of methods that train nothing."""


def draws_nothing(row: Mapping[str, Any]) -> bool:
    """Whether each seed gives the same answers: nothing is trained, and no examples stand before the question."""
    return row.get("provider") == UNTUNED and not row.get("shots")


class MethodSpec(Spec):
    """A tuning method: its provider, its type there, its config, and the training arguments that it changes.

    ``source`` names the origin of the config's values. ``optimizer`` names another optimizer than AdamW, with its
    options beside ``type``. ``quantization`` is the format of the frozen base under the method, None for its own.
    ``shots`` is the number of training examples that stand answered before each question when the method is asked.
    ``max_new_tokens`` is the most tokens of an answer on tasks whose rows allow fewer, as far as the model has
    positions: for a model that has not learnt how short an answer is. ``train_on`` names tasks whose training examples
    are learnt together, the cell's own among them; None for the cell's own alone. ``starts_at_base`` says whether the
    answers before the first step are those of the base model, which the contract tests check; of a soft prompt they
    never are, and its row need not say so. ``package`` names an installed package that brings a custom method, in place
    of a folder; ``type`` is then the method's name in ``PeftType`` of peft. ``keep_weights`` says whether the
    tensors of a checkpoint stay on disk once its cell is scored.
    """

    name: str = ""
    provider: Text
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)] | None = None
    family: Family
    config: Options
    optimizer: Options = Field(default={"type": "adamw"})
    quantization: Literal["nf4"] | None = None
    shots: Annotated[int, Field(ge=0, le=1000)] = 0
    max_new_tokens: Count | None = None
    train_on: Names | None = None
    starts_at_base: bool = True
    keep_weights: bool = Field(
        default=True,
        description="whether the tensors of a checkpoint stay on disk once its cell is scored; decides no number",
    )
    training: Options
    citation: Text
    source: str = ""
    notes: str = ""

    @property
    def virtual_tokens(self) -> int:
        """The tokens of a soft prompt that stand before each row."""
        found = self.config.get("num_virtual_tokens")
        return found if isinstance(found, int) else 0

    @property
    def trains(self) -> bool:
        """Whether any weight is trained."""
        return self.provider != UNTUNED

    @property
    def is_base_model(self) -> bool:
        """Whether it is the base model as it is, asked the question alone."""
        return not (self.trains or self.shots or self.quantization)
