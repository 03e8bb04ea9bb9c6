"""Settings of a run that belong to no row: the sampling of examples, PSCP's constants, running programs, energy."""

from typing import Annotated

from pydantic import Field

from peft_pipelines.config.spec import Count, Share, Spec


class SamplingSpec(Spec):
    """Which rows take part. None stands for all; the split seed is not the training seed."""

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
    """Whether programs that a model wrote are run on their test cases, and the limits of each run.

    ``seconds`` are of CPU time, ``processes`` count threads too, ``memory_mb`` is of each process, ``file_mb`` of all
    files together, ``output_kb`` of what is printed. The code is in sandbox/.
    """

    enabled: bool
    seconds: Count
    memory_mb: Annotated[int, Field(ge=128)]
    processes: Count
    file_mb: Count
    output_kb: Count


class EnergySpec(Spec):
    """Whether energy is estimated, and the country (three letters of ISO 3166) whose power mix gives the CO₂."""

    enabled: bool
    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
