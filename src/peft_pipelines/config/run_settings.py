"""Settings of a run that belong to no row: the sampling of examples, PSCP's constants, running programs, energy."""

from typing import Annotated

from pydantic import Field

from peft_pipelines.config.spec import Count, Share, Spec


class SamplingSpec(Spec):
    """Numbers of examples that are drawn from each split, None for all. The split seed is not the training seed."""

    split_seed: int
    validation_share: Share
    train_rows: Count | None
    validation_rows: Count | None
    test_rows: Count | None


class PscpSpec(Spec):
    """The six constants of PSCP (Belanec et al. 2025): scales of parameters, TFLOP and GB, and their weights."""

    c_p: Annotated[float, Field(gt=0)]
    c_f: Annotated[float, Field(gt=0)]
    c_m: Annotated[float, Field(gt=0)]
    beta_p: Annotated[float, Field(ge=0)]
    beta_f: Annotated[float, Field(ge=0)]
    beta_m: Annotated[float, Field(ge=0)]


class ExecutionSpec(Spec):
    """Limits of the sandbox in which programs that a model wrote are run on test cases; off unless ``enabled``.

    ``seconds`` are of CPU time, ``processes`` count threads too, ``memory_mb`` is of each process, ``file_mb`` of all
    files together, ``output_kb`` of what is printed. The code is in evaluation/sandbox/.
    """

    enabled: bool
    seconds: Count
    memory_mb: Annotated[int, Field(ge=128)]
    processes: Count
    file_mb: Count
    output_kb: Count


class EnergySpec(Spec):
    """Estimates of energy, off unless ``enabled``; ``country`` (ISO 3166, three letters) is the power mix for CO₂."""

    enabled: bool
    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
