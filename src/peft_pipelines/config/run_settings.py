"""Settings of a run that belong to no row: the sampling of examples, PSCP's constants, running programs, energy."""

from typing import Annotated, Literal

from pydantic import Field

from peft_pipelines.config.spec import Count, Seed, Share, Spec

Scale = Annotated[float, Field(ge=1e-12, le=1e30)]
Weight = Annotated[float, Field(ge=0, le=100)]


class SamplingSpec(Spec):
    """Numbers of examples that are drawn from each split, None for all. The split seed is not the training seed.

    ``train_unit`` is what is drawn whole for training: single examples, or all examples of a question or of a group.
    Of a task whose row has no such field, examples are drawn singly.
    """

    split_seed: Seed
    validation_share: Share
    train_rows: Count | None
    train_unit: Literal["example", "question", "group"]
    validation_rows: Count | None
    test_rows: Count | None


class PscpSpec(Spec):
    """The six constants of PSCP (Belanec et al. 2025): scales of parameters, TFLOP and GB, and their weights."""

    c_p: Scale
    c_f: Scale
    c_m: Scale
    beta_p: Weight
    beta_f: Weight
    beta_m: Weight


class ExecutionSpec(Spec):
    """Limits of the sandbox in which programs that a model wrote are run on test cases; off unless ``enabled``.

    ``seconds`` are of CPU time, ``processes`` count threads too, ``memory_mb`` is of each process, ``file_mb`` of all
    files together, ``output_kb`` of what is printed. The code is in evaluation/sandbox/.
    """

    enabled: bool
    seconds: Annotated[int, Field(ge=1, le=3600)]
    memory_mb: Annotated[int, Field(ge=128, le=1_048_576)]
    processes: Annotated[int, Field(ge=1, le=4096)]
    file_mb: Annotated[int, Field(ge=1, le=1_048_576)]
    output_kb: Annotated[int, Field(ge=1, le=1_048_576)]


class EnergySpec(Spec):
    """Estimates of energy, off unless ``enabled``; ``country`` (ISO 3166, three letters) is the power mix for CO₂."""

    enabled: bool
    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
