"""The training arguments that all cells share."""

from typing import Annotated, Literal

from pydantic import Field

from peft_pipelines.config.method import MethodSpec
from peft_pipelines.config.parsing import parse
from peft_pipelines.config.spec import Batch, Options, Spec, Tokens


class TrainingSpec(Spec):
    """The training arguments that all cells share. A method row may override fields of it by name.

    docs/exactness.md has the short cuts, docs/gpu.md what is chosen for a device.
    """

    epochs: Annotated[float, Field(gt=0, le=10_000)] = Field(
        description="How often each training example is seen, above 0; 0.5 is half of them once.",
    )
    batch_size: Batch = Field(description="Examples of a batch, 1 to 65536.")
    gradient_accumulation_steps: Batch = Field(description="Batches whose gradients make one step, 1 to 65536.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        description="The highest learning rate of the schedule, above 0. Methods usually override it.",
    )
    loss: Options = Field(
        description=(
            "The loss by its type, with its options beside it: {type: cross_entropy} or {type: label_smoothing, "
            "smoothing: 0.1}. Validation is always by cross entropy."
        ),
    )
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        description=(
            "How the learning rate goes on after the warm-up: linear and cosine fall to 0, both constants stay; "
            "constant has no warm-up."
        ),
    )
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="The share of the steps in which the learning rate rises from 0, from 0 to below 1.",
    )
    weight_decay: Annotated[float, Field(ge=0, le=100)] = Field(
        description="The decay of AdamW, from 0 to 100; biases and norms have none.",
    )
    max_grad_norm: Annotated[float, Field(gt=0)] = Field(description="The norm that gradients are clipped to, above 0.")
    max_length: Tokens = Field(
        description="The most tokens of prompt and answer together, from 16; a longer prompt loses its middle.",
    )
    evaluations: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description=(
            "How often during a training validation is scored and the state kept, 1 to 10000; the best state is the "
            "result."
        ),
    )
    validation_cost: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        description=(
            "The most that all evaluations cost, as a share of the training: fewer examples are scored then. Null for "
            "no limit."
        ),
    )
    generation_batch_size: Batch | None = Field(
        description="How many answers are generated at once. Null: chosen for the device.",
    )
    tokens_per_forward: Tokens | None = Field(
        description=(
            "What bounds the memory of a forward pass, in tokens of its tree or, not packed, in examples times the "
            "longest of them. A larger batch runs in parts, with the same gradients. Null: chosen for the device."
        ),
    )
    gradient_checkpointing: bool = Field(
        description="Whether activations are computed again in the backward pass, which saves memory and costs time.",
    )
    deterministic: bool = Field(
        description="Whether each run on a GPU gives the same bits, by slower kernels; a CPU gives them anyway.",
    )
    packed_batches: bool = Field(
        description=(
            "Whether a batch runs as one tree of tokens without padding; exact. False: each example in a row of its "
            "own."
        ),
    )
    group_batches: bool = Field(
        description="Whether examples of a task's group come one after the other, so that what they share runs once.",
    )
    shared_prefix: bool = Field(description="Whether the tokens that all examples begin with run once a batch; exact.")
    label_positions_only: bool = Field(
        description="Whether the output head runs only where the next token has a label; exact.",
    )
    length_buckets: bool = Field(description="Whether examples of like length come into one batch.")
    flex_attention: bool = Field(
        description=(
            "Whether packed batches run by FlexAttention's kernels where a GPU has them. False: by the usual attention."
        ),
    )

    def overridden(self, method: MethodSpec) -> "TrainingSpec":
        """Return the training arguments with the method's own values in them.

        Raises:
            ConfigError: a field is unknown or has a wrong value.
        """
        where = f"method '{method.name}', training"
        return parse(TrainingSpec, where, {**self.model_dump(), **method.training})
