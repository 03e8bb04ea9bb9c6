"""A base model's row: its source, precision and prompt format."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from peft_pipelines.config.spec import Count, Spec, Text


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
    """A base model: exactly one of three sources, its precision, and whether prompts use its chat template."""

    name: str = ""
    package: PackageFile | None = None
    hub: HubModel | None = None
    folder: Text | None = None
    tokenizer: TokenizerFix | None = None
    dtype: Literal["float32", "bfloat16", "float16"]
    chat_template: bool
    licence: Text
    citation: Text
    notes: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSpec":
        sources = [name for name in ("package", "hub", "folder") if getattr(self, name)]
        if len(sources) != 1:
            raise ValueError(f"exactly one of package, hub and folder is needed, got {sources or 'none'}")
        return self
