"""Values that others have published, to stand beside ours."""

from peft_pipelines.config.spec import Name, Spec, Text


class PublishedSpec(Spec):
    """Values in percent that others have published, by method and task, with the metric that each task's are of."""

    name: str = ""
    citation: Text
    model: Text
    metrics: dict[Name, Text]
    note: Text
    values: dict[Name, dict[Name, float]]
