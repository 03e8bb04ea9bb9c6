"""The field of a task's row for continuations: texts whose likelihood behind a context makes the answer."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from peft_pipelines.config.spec import Spec, Text, as_tuple
from peft_pipelines.config.template import Template, check_columns, template_fields

Continuation = Annotated[Text, AfterValidator(check_columns)]
"""A template, or a text without a column, that stands behind a context as it is, white space included."""


class ContinuationSpec(Spec):
    """What a task's labels are as continuations of a context, as lm-evaluation-harness scores multiple choice."""

    texts: Annotated[tuple[Continuation, ...], BeforeValidator(as_tuple)] | None = Field(
        default=None,
        description=(
            "A template for each label, or a text without a column, in the order of `labels` (the harness's "
            "doc_to_choice). Without it and column the label words are the continuations."
        ),
    )
    column: Text | None = Field(
        default=None,
        description="A raw column with a list of texts, one for each label, in place of texts.",
    )
    context: Template | None = Field(
        default=None,
        description=(
            "A template for the text before them (doc_to_text), white space included: no instruction, no chat "
            "template. Without it the context is the prompt."
        ),
    )
    delimiter: str = Field(
        default="",
        description=(
            "What stands between context and continuation (target_delimiter); it does not count in the continuation's "
            "length."
        ),
    )

    def columns(self) -> tuple[str, ...]:
        """The columns that are named."""
        templates = [text for text in (*(self.texts or ()), self.context) if text]
        return (*(field for text in templates for field in template_fields(text)), *filter(None, [self.column]))

    def check(self, labels: tuple[str, ...]) -> None:
        """Raise ValueError unless the task has labels, and each has one continuation."""
        if not labels:
            raise ValueError("continuations need label and labels: free text has no choices")
        if self.texts is not None and len(self.texts) != len(labels):
            raise ValueError(f"continuations.texts must be {len(labels)}, one for each label, got {len(self.texts)}")

    @model_validator(mode="after")
    def _one_kind(self) -> "ContinuationSpec":
        if self.texts is not None and self.column is not None:
            raise ValueError("at most one of texts and column may be given")
        return self
