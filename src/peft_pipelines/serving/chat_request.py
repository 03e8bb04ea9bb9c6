"""The body of a request for a chat completion: what is taken, and what is refused by name."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from peft_pipelines.config.errors import unknown
from peft_pipelines.config.spec import Count, Spec, as_tuple, shown
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.files.strict_json import each_once, no_number
from peft_pipelines.serving.api_error import ApiError
from peft_pipelines.serving.loaded_cell import ANSWER_TOKENS

BAD: Final = 400

NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    **{"temperature": (0,), "top_p": (1,), "n": (1,), "presence_penalty": (0,), "frequency_penalty": (0,)},
    **{"logprobs": (False,), "top_logprobs": (0,), "logit_bias": ({},)},
    **{"tools": ([],), "tool_choice": ("none",), "functions": ([],), "function_call": ("none",)},
    **{"response_format": ({"type": "text"},), "modalities": (["text"],), "store": (False,)},
}
"""Fields that are taken only where they change nothing: with one of these values, or null."""
REASONS: Final = dict.fromkeys(("temperature", "top_p"), "; answers are greedy")


def as_texts(value: object) -> object:
    """Return one text as a list of one, and a list as a tuple."""
    return (value,) if isinstance(value, str) else as_tuple(value)


class _Part(Spec):
    """A part of a request. A field that is null is one that is left out: clients write those that mean nothing."""

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Any) -> Any:
        return {name: one for name, one in values.items() if one is not None} if isinstance(values, dict) else values


class Turn(_Part):
    """A message."""

    role: str = Field(description="Who speaks, such as system, user or assistant.")
    content: str = Field(description="Text; a list of parts is not taken.")


class StreamOptions(_Part):
    """What a stream holds beside the answer."""

    include_usage: bool = Field(False, description="A last chunk with the numbers of tokens.")


class ChatRequest(_Part):
    """A request for a chat completion."""

    model: str = Field(description="The name of a cell.")
    messages: Annotated[tuple[Turn, ...], BeforeValidator(as_tuple)] = Field(description="The turns so far.")
    stream: bool = Field(False, description="Whether the answer comes token by token.")
    stream_options: StreamOptions | None = Field(None, description="What a stream holds beside the answer.")
    max_completion_tokens: Count | None = Field(None, description="The most tokens of the answer.")
    max_tokens: Count | None = Field(None, description="The same by its older name.")
    stop: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_texts), Field(max_length=4)] = (
        Field((), description="Texts that end the answer.")
    )
    seed: int | None = Field(None, description="Without effect: answers are the same for every seed.")
    user: str | None = Field(None, description="A name of the client's own, without effect.")

    @property
    def most_tokens(self) -> int:
        """The most tokens of the answer."""
        return self.max_completion_tokens or self.max_tokens or ANSWER_TOKENS

    @property
    def turns(self) -> list[dict[str, str]]:
        """The messages as a conversation."""
        return [turn.model_dump() for turn in self.messages]


def chat_request(body: bytes) -> ChatRequest:
    """Return the request that a body holds.

    Raises:
        ApiError: it is no JSON object, or a field is unknown, not supported or not as it must be.
    """
    values = _json(body)
    for name, allowed in NEUTRAL.items():
        if not any(_same(values.get(name), one) for one in (None, *allowed)):
            raise _refused(name, f"must be {json.dumps(allowed[0])} or left out", values[name], REASONS.get(name, ""))
    given = {name: value for name, value in values.items() if name not in NEUTRAL}
    try:
        request = ChatRequest.model_validate(given)
    except ValidationError as error:
        raise _first(error) from None
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise ApiError(BAD, "max_tokens and max_completion_tokens: give one of them", param="max_tokens")
    if request.stream_options and not request.stream:
        raise ApiError(BAD, 'stream_options: is for requests with "stream": true', param="stream_options")
    return request


def _json(body: bytes) -> dict[str, Any]:
    """The object of a body; texts in it can be written as UTF-8."""
    try:
        values = json.loads(body, object_pairs_hook=each_once, parse_constant=no_number)
        json.dumps(values, ensure_ascii=False).encode()
    except RecursionError:
        raise ApiError(BAD, "body: lists and objects lie too deep inside each other", "invalid_json") from None
    except ValueError as error:
        raise ApiError(BAD, for_terminal(f"body: must be JSON: {error!s:.200}"), "invalid_json") from None
    if not isinstance(values, dict):
        raise ApiError(BAD, "body: must be a JSON object", "invalid_json")
    return values


def _same(value: object, allowed: object) -> bool:
    """Whether two values are equal as JSON has them, where true is not 1."""
    return value == allowed and isinstance(value, bool) == isinstance(allowed, bool)


def _refused(where: str, rule: str, value: object, reason: str = "") -> ApiError:
    return ApiError(BAD, for_terminal(f"{where}: {rule}, got {shown(value)}{reason}"), "unsupported_value", where)


def _first(error: ValidationError) -> ApiError:
    """The first mistake of a request."""
    first = error.errors()[0]
    where = ".".join(f"{part!s:.80}" for part in first["loc"])
    if first["type"] == "missing":
        return ApiError(BAD, f"{where}: must be given", "missing_required_parameter", where)
    if first["type"] != "extra_forbidden":
        rule = "must be a list" if first["type"] == "tuple_type" else first["msg"][:1].lower() + first["msg"][1:]
        return _refused(where, rule, first["input"])
    known = {0: [*ChatRequest.model_fields, *NEUTRAL], 1: StreamOptions.model_fields, 2: Turn.model_fields}
    *inside, name = first["loc"]
    place = ".".join(map(str, ("request", *inside)))
    return ApiError(BAD, str(unknown(place, "field", name, known[len(inside)])), "unknown_parameter", where)
