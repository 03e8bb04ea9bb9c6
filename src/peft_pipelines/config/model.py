"""A base model's row: its source, precision and prompt format."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from peft_pipelines.config.spec import Count, Name, Spec, Text

FIXED_DATE = "2024-07-26"
"""The date that chat templates print: a benchmark's prompts must not change overnight."""

OWN_VALUES = ("messages", "tools", "documents", "add_generation_prompt", "date_string", "strftime_now")
"""What a chat template is given by this project itself."""


def _is_a_day(value: str) -> str:
    if date.fromisoformat(value).isoformat() != value:
        raise ValueError(f"must be a date such as {FIXED_DATE}, got '{value}'")
    return value


Day = Annotated[
    str, BeforeValidator(lambda value: str(value) if isinstance(value, date) else value), AfterValidator(_is_a_day)
]


class PackageFile(Spec):
    """Weights inside a wheel of the Python package index, both checked by their hashes."""

    package: Text
    version: Text
    wheel_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    file: Text
    file_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HubModel(Spec):
    """A model repository of the hub. Without ``revision`` the lock file decides, which the first download writes."""

    repo: Text
    revision: Text | None = None


class TokenizerFix(Spec):
    """Settings of a tokenizer that the conversion of a model loses; they are written into it at the conversion."""

    eos_token: Text
    pad_token: Text
    add_bos_token: bool
    split_digits: bool
    model_max_length: Count


class ModelSpec(Spec):
    """A base model: exactly one of three sources, its precision, and whether prompts use its chat template.

    ``date`` is what the chat template prints as today, and ``chat_template_kwargs`` are further values that it asks
    for, such as ``enable_thinking: false``.
    """

    name: str = ""
    package: PackageFile | None = None
    hub: HubModel | None = None
    folder: Text | None = None
    tokenizer: TokenizerFix | None = None
    dtype: Literal["float32", "bfloat16", "float16"]
    chat_template: bool
    chat_template_kwargs: dict[Name, JsonValue] = Field(default_factory=dict)
    date: Day = FIXED_DATE
    licence: Text
    citation: Text
    notes: str = ""

    @property
    def identity(self) -> object:
        """What decides the model's answers: two rows with equal ones are one model."""
        return self.model_dump(exclude={"name", "licence", "citation", "notes"})

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSpec":
        sources = [name for name in ("package", "hub", "folder") if getattr(self, name)]
        if len(sources) != 1:
            raise ValueError(f"exactly one of package, hub and folder is needed, got {sources or 'none'}")
        return self

    @model_validator(mode="after")
    def _template_values(self) -> "ModelSpec":
        if self.chat_template_kwargs and not self.chat_template:
            raise ValueError("chat_template_kwargs are for a chat template, and chat_template is false")
        taken = [name for name in self.chat_template_kwargs if name in OWN_VALUES]
        if taken:
            raise ValueError(f"chat_template_kwargs must not give '{taken[0]}', which this project gives itself")
        return self
