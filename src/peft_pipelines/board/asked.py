"""What the page Try asks for: questions to cells, and predictions on a split; what is refused is refused in a line."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from peft_pipelines.config.spec import Count, Spec, Text, Texts, as_tuple
from peft_pipelines.serving.sampling_options import Sampling, sampling_of

ASK, PREDICT, STOP = "ask", "predict", "stop"
"""What the model's process can be told to do."""
MOST_CELLS: Final = 4
"""Cells that answer side by side: each holds a clone of the base model, and what it has trained."""
MOST_ROWS, MOST_TOKENS, LONGEST, MOST_TURNS = 1000, 1000, 20_000, 100


class Options(Spec):
    """How answers are decoded; what is left out is as in the cell's scores."""

    max_new_tokens: Annotated[Count, Field(le=MOST_TOKENS)] | None = Field(
        None, description="The most tokens of an answer."
    )
    temperature: float | None = Field(None, description="Answers are drawn at this temperature; greedy without one.")
    top_k: int | None = Field(None, description="Drawn from so many of the likeliest tokens.")
    top_p: float | None = Field(None, description="Drawn from the likeliest tokens that have this share together.")
    seed: int | None = Field(None, description="Of what is drawn.")

    def sampling(self) -> Sampling | None:
        """Return how tokens are drawn; None for greedy answers.

        Raises:
            ConfigError: a value is out of its range, or stands without a temperature.
        """
        return sampling_of(self.model_dump(exclude={"max_new_tokens"}))


class Turn(Spec):
    """A turn of a conversation."""

    role: Literal["user", "assistant"] = Field(description="Who speaks.")
    content: Annotated[str, Field(max_length=LONGEST)] = Field(description="What was said.")


Turns = Annotated[tuple[Turn, ...], BeforeValidator(as_tuple), Field(max_length=MOST_TURNS)]


class Ask(Spec):
    """A question to cells of one base model."""

    cells: Annotated[Texts, Field(min_length=1, max_length=MOST_CELLS)] = Field(
        description="METHOD.MODEL.TASK.SEED; behind the first also the name of a method that trains nothing."
    )
    text: Annotated[Text, Field(max_length=LONGEST)] = Field(description="The question.")
    instruction: bool = Field(True, description="Behind the task's instruction, or as a conversation that goes on.")
    talks: dict[str, Turns] = Field({}, description="By cell the conversation so far.")
    options: Options = Field(Options(), description="How the answers are decoded.")

    def turns(self, cell: str) -> list[dict[str, Any]]:
        """Return the conversation with a cell, the question last."""
        said = [turn.model_dump() for turn in self.talks.get(cell, ())]
        return [*said, {"role": "user", "content": self.text}]


class Predict(Spec):
    """Answers to the first rows of a split."""

    cell: Text = Field(description="METHOD.MODEL.TASK.SEED.")
    split: Literal["validation", "test"] = Field("validation", description="Of the task.")
    rows: Annotated[Count, Field(le=MOST_ROWS)] = Field(20, description="How many of the split's first rows.")
    options: Options = Field(Options(), description="How the answers are decoded.")
