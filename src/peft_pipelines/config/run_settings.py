"""Settings of a run that belong to no row: the sampling of examples, PSCP's constants, running programs, energy."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from peft_pipelines.config.spec import Count, Seed, Share, Spec, as_tuple, distinct

Scale = Annotated[float, Field(ge=1e-12, le=1e30)]
Weight = Annotated[float, Field(ge=0, le=100)]


class SamplingSpec(Spec):
    """Numbers of examples that are drawn from each split."""

    split_seed: Seed = Field(
        description=(
            "The seed by which examples are drawn and a validation split is cut off, from 0; not the training seed."
        ),
    )
    validation_share: Share = Field(
        description=(
            "The share of the training split that becomes validation where the task names no such split; between 0 and "
            "1."
        ),
    )
    train_rows: Count | None = Field(description="The number of training examples that are drawn; null for all.")
    train_unit: Literal["example", "question", "group"] = Field(
        description=(
            "What is drawn whole for training: single examples, or all examples of a question or of a group. Of a task "
            "whose row has no such field examples are drawn singly."
        ),
    )
    validation_rows: Count | None = Field(description="The number of validation examples that are drawn; null for all.")
    test_rows: Count | None = Field(description="The number of examples that are drawn to be scored; null for all.")


class PscpSpec(Spec):
    """The six constants of PSCP (Belanec et al. 2025)."""

    c_p: Scale = Field(description="The scale of trainable parameters, as a number of them.")
    c_f: Scale = Field(description="The scale of compute, in TFLOP.")
    c_m: Scale = Field(description="The scale of memory, in GB.")
    beta_p: Weight = Field(description="The weight of the parameters, from 0 (they do not count) to 100.")
    beta_f: Weight = Field(description="The weight of the compute, from 0 to 100.")
    beta_m: Weight = Field(description="The weight of the memory, from 0 to 100.")


class ExecutionSpec(Spec):
    """Limits of the sandbox (evaluation/sandbox/) in which programs that a model wrote are run on test cases."""

    enabled: bool = Field(description="Whether programs that a model wrote are run at all.")
    seconds: Annotated[int, Field(ge=1, le=3600)] = Field(description="CPU seconds of one test case, 1 to 3600.")
    memory_mb: Annotated[int, Field(ge=128, le=1_048_576)] = Field(
        description="Memory of each process in MB, 128 to 1048576.",
    )
    processes: Annotated[int, Field(ge=1, le=4096)] = Field(
        description="Processes and threads of a program together, 1 to 4096.",
    )
    file_mb: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        description="What all files of a program may hold together, in MB, 1 to 1048576.",
    )
    output_kb: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        description="What a program may print, in kB, 1 to 1048576.",
    )


class TrackersSpec(Spec):
    """The experiment trackers of a run (docs/trackers.md)."""

    trackers: Annotated[
        tuple[Literal["mlflow", "tensorboard", "wandb"], ...], BeforeValidator(as_tuple), AfterValidator(distinct)
    ] = Field(description="The trackers that are told of each cell, by the names of their packages; none by default.")


class EnergySpec(Spec):
    """Estimates of energy."""

    enabled: bool = Field(description="Whether each cell's energy and CO₂ are estimated.")
    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        description=(
            "The country whose power mix turns watt-hours into grams of CO₂, by its three letters of ISO 3166, such as "
            "SVK."
        ),
    )
