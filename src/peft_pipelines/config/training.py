"""The training arguments that all cells share."""

from typing import Annotated, Literal

from pydantic import Field

from peft_pipelines.config.method import MethodSpec
from peft_pipelines.config.parsing import parse
from peft_pipelines.config.spec import Batch, Options, Spec, Tokens


class TrainingSpec(Spec):
    """The training arguments that all cells share. A method row may override fields of it by name.

    ``evaluations`` is how often during training validation is scored and the state saved; ``validation_cost`` is the
    most that this may cost beside the training, as a share of it, null for no limit (``training.scored_rows``).
    ``max_length`` is in tokens of prompt and answer together. ``loss`` names the loss as ``type``, with its options
    beside it (``training.loss``); validation is always by cross entropy. ``tokens_per_forward`` bounds the memory of
    one forward, in nodes of its tree or, not packed, in examples times the longest of them: a batch beyond it runs in
    parts (``training.branches``), with the same gradients. It and ``generation_batch_size`` are chosen for the device
    where they are null (``models.sizes``). ``deterministic`` gives the same bits from each run on a
    GPU, by slower kernels (docs/gpu.md). The five fields from ``packed_batches`` on switch the exact short cuts,
    ``flex_attention`` the kernels of packed batches on a GPU (docs/exactness.md).
    """

    epochs: Annotated[float, Field(gt=0, le=10_000)]
    batch_size: Batch
    gradient_accumulation_steps: Batch
    learning_rate: Annotated[float, Field(gt=0)]
    loss: Options
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, le=100)]
    max_grad_norm: Annotated[float, Field(gt=0)]
    max_length: Tokens
    evaluations: Annotated[int, Field(ge=1, le=10_000)]
    validation_cost: Annotated[float, Field(gt=0, le=10_000)] | None
    generation_batch_size: Batch | None
    tokens_per_forward: Tokens | None
    gradient_checkpointing: bool
    deterministic: bool
    packed_batches: bool
    group_batches: bool
    shared_prefix: bool
    label_positions_only: bool
    length_buckets: bool
    flex_attention: bool

    def overridden(self, method: MethodSpec) -> "TrainingSpec":
        """Return the training arguments with the method's own values in them.

        Raises:
            ConfigError: a field is unknown or has a wrong value.
        """
        where = f"method '{method.name}', training"
        return parse(TrainingSpec, where, {**self.model_dump(), **method.training})
