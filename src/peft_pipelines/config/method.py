"""A method's row."""

from typing import Annotated, Any, Literal

from pydantic import Field

from peft_pipelines.config.spec import Names, Spec, Text

Family = Literal["reparameterised", "soft_prompt", "adapter", "selective", "baseline"]


class MethodSpec(Spec):
    """One way of tuning: who provides it, its type there, its config, and what it changes in the training arguments.

    ``source`` says where the config's values come from. ``optimizer`` names another optimizer than AdamW, with its
    options beside ``type``. ``quantization`` is how the frozen base is stored under the method, None for as it is.
    ``shots`` is how many training rows stand answered before each question when the method is asked. ``train_on`` names
    tasks whose training rows are learnt together, the cell's own among them; None for the cell's own alone.
    """

    name: str = ""
    provider: Text
    type: Text
    family: Family
    config: dict[str, Any]
    optimizer: dict[str, Any] = Field(default={"type": "adamw"})
    quantization: Literal["nf4"] | None = None
    shots: Annotated[int, Field(ge=0)] = 0
    train_on: Names | None = None
    training: dict[str, Any]
    citation: Text
    source: str = ""
    notes: str = ""
