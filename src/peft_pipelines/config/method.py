"""A method's row."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from peft_pipelines.config.spec import Count, Names, Notes, Options, RowName, Spec, Text

Family = Literal["reparameterised", "soft_prompt", "adapter", "selective", "baseline"]


UNTUNED = "none"
"""The provider of methods that train nothing."""


def draws_nothing(row: Mapping[str, Any]) -> bool:
    """Whether each seed gives the same answers: nothing is trained, and no examples stand before the question."""
    return row.get("provider") == UNTUNED and not row.get("shots")


class MethodSpec(Spec):
    """A tuning method: its provider, its type there, its config, and the training arguments that it changes."""

    name: RowName = ""
    provider: Text = Field(
        description=(
            "Who brings the method: hf_peft, adapters, custom (a folder of methods/ or a package), weights (weights of "
            "the model itself) or none (nothing is trained)."
        ),
    )
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)] = Field(
        description=(
            "The method's name there: peft's type, the name of an AdapterHub config class, the name of a folder, all "
            "or last_layers, or none. `kedro methods` lists them."
        ),
    )
    package: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)] | None = Field(
        default=None,
        description=(
            "An installed package that brings a custom method, in place of a folder; type is then the method's name in "
            "peft's PeftType."
        ),
    )
    family: Family = Field(
        description="The family that tables show it in; baseline for what is compared with rather than proposed.",
    )
    config: Options = Field(
        description=(
            "The fields of the library's config class by name; what is left out has the library's default. `kedro "
            "methods NAME` lists them."
        ),
    )
    optimizer: Options = Field(
        default={"type": "adamw"},
        description=(
            "The optimizer by its type, with its options beside it: {type: adamw}, {type: loraplus_adamw, ratio: 16.0} "
            "or {type: galore_adamw, rank: 64, update_proj_gap: 200, scale: 0.25}."
        ),
    )
    quantization: Literal["nf4"] | None = Field(
        default=None,
        description=(
            "The format of the frozen base under the method: nf4 keeps it in 4 bits; null in the model's own precision."
        ),
    )
    shots: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0,
        description=(
            "The number of training examples that stand answered before each question when the method is asked, 0 to "
            "1000."
        ),
    )
    max_new_tokens: Count | None = Field(
        default=None,
        description=(
            "The most tokens of an answer on tasks whose rows allow fewer, as far as the model has positions: for a "
            "model that has not learnt how short an answer is. Null: as each task's row says."
        ),
    )
    train_on: Names | None = Field(
        default=None,
        description=(
            "The tasks whose training examples are learnt together, all tasks of the grid among them; null for the "
            "cell's own alone."
        ),
    )
    starts_at_base: bool = Field(
        default=True,
        description=(
            "Whether the answers before the first step are those of the base model, which tests check. Of a soft "
            "prompt they never are, and its row need not say so."
        ),
    )
    keep_weights: bool = Field(
        default=True,
        description="Whether the tensors of a checkpoint stay on disk once its cell is scored; decides no number.",
    )
    training: Options = Field(
        description="The training arguments that this method overrides, by name, such as learning_rate.",
    )
    citation: Text = Field(description="The work to cite for the method.")
    source: str = Field(default="", description="Where the values of config and training come from; decides nothing.")
    notes: Notes = ""

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
