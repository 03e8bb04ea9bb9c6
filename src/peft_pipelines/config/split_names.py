"""A task's raw splits, and the data set of the hub that they may come from."""

from typing import Annotated

from pydantic import Field, model_validator

from peft_pipelines.config.spec import Share, Spec, Text, distinct

SplitName = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
"""The name of a raw split is that of its file."""


class HubSource(Spec):
    """A data set of the hub."""

    repo: Text = Field(description="The data set's name on the hub, such as nyu-mll/glue.")
    config: Text | None = Field(
        default=None,
        description="The configuration inside the data set; without it the hub's default.",
    )
    parquet_branch: bool = Field(
        default=False,
        description="Whether the hub's own conversion to Parquet is read, for data sets that are scripts.",
    )
    splits: dict[SplitName, Text] = Field(
        default={},
        description=(
            "The hub's name of a raw split where it has another one there, such as validation: validation_matched."
        ),
    )


class Splits(Spec):
    """Names of the raw splits to use."""

    train: SplitName = Field(description="The raw split whose examples are trained on.")
    test: SplitName | None = Field(
        default=None, description="The raw split that is scored. Its labels must be real ones. Or test_share is given."
    )
    test_share: Share | None = Field(
        default=None,
        description=(
            "In place of test: this share of the training split is cut off for the test, of its groups or, where the "
            "row has none, of its different inputs."
        ),
    )
    validation: SplitName | None = Field(
        default=None,
        description=(
            "The raw split that chooses among the states of a training. Without it one is cut off the training split "
            "by the split seed."
        ),
    )

    @property
    def scored(self) -> str:
        """The raw split that the test examples are of."""
        return self.test or self.train

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are used."""
        return tuple(filter(None, (self.train, self.validation, self.test)))

    @model_validator(mode="after")
    def _apart(self) -> "Splits":
        if (self.test is None) == (self.test_share is None):
            raise ValueError("exactly one of test and test_share is needed: a split's name, or a share such as 0.2")
        distinct(self.names)
        return self
