"""Values that others have published, shown beside those of a run."""

from typing import Annotated

from pydantic import Field

from peft_pipelines.config.spec import Name, RowName, Spec, Text

Percent = Annotated[float, Field(ge=-100, le=100)]


class PublishedSpec(Spec):
    """Published values in percent by method and task, and the metric of each task's values."""

    name: RowName = ""
    citation: Text = Field(description="The work that published the values.")
    model: Text = Field(description="The model that they were measured on, as that work calls it.")
    metrics: dict[Name, Text] = Field(
        description="By task, the metric that the published values really are, whatever the table's heading says.",
    )
    note: Text = Field(description="What a reader must know to compare the values with this run's.")
    values: dict[Name, dict[Name, Percent]] = Field(
        description="By method, and in it by task, the value in percent, from -100 to 100.",
    )
