"""A base model's row: its source, precision and prompt format."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from peft_pipelines.config.spec import Count, Name, Notes, RowName, Spec, Text

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

    package: Text = Field(description="The package's name on the Python package index.")
    version: Text = Field(description="The package's release, such as 0.1.2.")
    wheel_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description=(
            "The SHA-256 of the wheel, 64 hexadecimal digits in lower case; a download with another one is refused."
        ),
    )
    file: Text = Field(description="The path of the weights (GGUF) inside the wheel.")
    file_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="The SHA-256 of that file, 64 hexadecimal digits in lower case.",
    )


class HubModel(Spec):
    """A model repository of the hub."""

    repo: Text = Field(description="The repository's name on the hub, such as Qwen/Qwen3-0.6B.")
    revision: Text | None = Field(
        default=None,
        description="The commit to read. Without it the lock file decides, which the first download writes.",
    )


class TokenizerFix(Spec):
    """Settings of a tokenizer that the conversion of a model loses; they are written into it at the conversion."""

    eos_token: Text = Field(description="The token that ends an answer.")
    pad_token: Text = Field(description="The token that fills up shorter rows of a batch.")
    add_bos_token: bool = Field(description="Whether each text begins with the token for its beginning.")
    split_digits: bool = Field(description="Whether each digit of a number is a token of its own.")
    model_max_length: Count = Field(description="The most tokens that the model has positions for.")


class ModelSpec(Spec):
    """A base model: exactly one of three sources, its precision, and whether prompts use its chat template."""

    name: RowName = ""
    package: PackageFile | None = Field(
        default=None,
        description=(
            "The weights inside a wheel of the Python package index. One of package, hub and folder must be given."
        ),
    )
    hub: HubModel | None = Field(
        default=None,
        description="The model's repository on the hub, in place of package or folder.",
    )
    folder: Text | None = Field(
        default=None,
        description="A folder with a model as transformers writes it, in place of package or hub.",
    )
    tokenizer: TokenizerFix | None = Field(
        default=None,
        description=(
            "Settings of the tokenizer that the conversion of a packaged model loses; null where there are none."
        ),
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        description=(
            "The precision that the frozen base computes in. What a method trains is in float32 whatever stands here."
        ),
    )
    chat_template: bool = Field(
        description=(
            "Whether prompts are written in the model's chat template; false gives the bare text, as for base models."
        ),
    )
    chat_template_kwargs: dict[Name, JsonValue] = Field(
        default_factory=dict,
        description=(
            "Further values that the chat template asks for, such as enable_thinking: false. Not those that this "
            "project gives itself, and none without a chat template."
        ),
    )
    date: Day = Field(
        default=FIXED_DATE,
        description=(
            "The date that the chat template prints as today, as YYYY-MM-DD; the same one every day, so that prompts "
            "do not change."
        ),
    )
    licence: Text = Field(description="The licence of the weights, as the record of a run repeats it.")
    citation: Text = Field(description="The work to cite for the model.")
    notes: Notes = ""

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
