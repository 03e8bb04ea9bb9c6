"""A task's raw splits, and the data set of the hub that they may come from."""

from typing import Annotated

from pydantic import Field, model_validator

from peft_pipelines.config.spec import Spec, Text, distinct

SplitName = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
"""The name of a raw split is that of its file."""


class HubSource(Spec):
    """A data set of the hub. ``parquet_branch`` reads the hub's own conversion, for sets that are scripts.

    ``splits`` gives the hub's name of a raw split where it has another one there.
    """

    repo: Text
    config: Text | None = None
    parquet_branch: bool = False
    splits: dict[SplitName, Text] = Field(default={})


class Splits(Spec):
    """Names of the raw splits to use. Without ``validation`` one is cut off the training split by the split seed."""

    train: SplitName
    test: SplitName
    validation: SplitName | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are used."""
        return tuple(filter(None, (self.train, self.validation, self.test)))

    @model_validator(mode="after")
    def _apart(self) -> "Splits":
        distinct(self.names)
        return self
