"""Values that others have published, shown beside those of a run."""

from typing import Annotated

from pydantic import Field

from peft_pipelines.config.spec import Name, Spec, Text

Percent = Annotated[float, Field(ge=-100, le=100)]


class PublishedSpec(Spec):
    """Published values in percent by method and task, and the metric of each task's values."""

    name: str = ""
    citation: Text
    model: Text
    metrics: dict[Name, Text]
    note: Text
    values: dict[Name, dict[Name, Percent]]
