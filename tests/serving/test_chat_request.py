"""Bodies of requests: what is taken, and what is refused by the name of its field."""

import json
from typing import Any

import pytest

from peft_pipelines.serving.api_error import ApiError
from peft_pipelines.serving.chat_request import chat_request

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def body(**fields: Any) -> bytes:
    return json.dumps({**HELLO, **fields}).encode()


def refused(given: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        chat_request(given)
    assert caught.value.status == 400 and "\n" not in caught.value.message
    return caught.value


def test_what_a_request_asks_for() -> None:
    plain = chat_request(body())
    assert (plain.model, plain.turns, plain.stream, plain.most_tokens, plain.stop) == (
        *("m", HELLO["messages"], False),
        *(256, ()),
    )
    assert chat_request(body(max_tokens=7)).most_tokens == chat_request(body(max_completion_tokens=7)).most_tokens == 7
    assert chat_request(body(stop="a")).stop == ("a",) and chat_request(body(stop=["a", "b"])).stop == ("a", "b")


def test_fields_that_change_nothing_are_taken() -> None:
    fields = {"temperature": 0.0, "n": 1, "logprobs": False, "tools": None, "response_format": {"type": "text"}}
    assert chat_request(body(**fields, seed=5, user="someone")).most_tokens == 256


def test_a_field_that_is_null_is_left_out_wherever_it_stands() -> None:
    answered = {"role": "assistant", "content": "Yes?", "refusal": None, "tool_calls": None}  # as it was answered
    turns = [*HELLO["messages"], answered, {"role": "user", "content": "Go on", "name": None}]
    found = chat_request(body(messages=turns, stream=True, stream_options={"include_usage": None}, stop=None))
    assert found.turns == [{name: one for name, one in turn.items() if one is not None} for turn in turns]
    assert (found.stop, found.stream_options and found.stream_options.include_usage) == ((), False)
    assert refused(body(messages=[{"role": "user", "content": None}])).message == "messages.0.content: must be given"
    assert refused(body(messages=[None])).param == "messages.0" and refused(body(stop=[None])).param == "stop.0"
    assert "unknown field 'tool_calls'" in refused(body(messages=[{**answered, "tool_calls": []}])).message


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("temperature", 0.7, "temperature: must be 0 or left out, got 0.7; answers are greedy"),
        ("n", 2, "n: must be 1 or left out, got 2"),
        ("n", True, "n: must be 1 or left out, got True"),
        ("logprobs", True, "logprobs: must be false or left out, got True"),
        ("tools", [{"type": "function"}], "tools: must be [] or left out, got [{'type': 'function'}]"),
        ("response_format", {"type": "json_object"}, 'response_format: must be {"type": "text"} or left out'),
        ("max_tokens", 0, "max_tokens: input should be greater than or equal to 1, got 0"),
        ("max_tokens", "9", "max_tokens: input should be a valid integer, got '9'"),
        ("stop", ["a"] * 5, "stop: value should have at most 4 items"),
        ("stop", "", "stop.0: string should have at least 1 character, got ''"),
        ("stream", 1, "stream: input should be a valid boolean, got 1"),
        ("messages", "Hello", "messages: must be a list, got 'Hello'"),
        ("stream_options", {"include_usage": True}, 'stream_options: is for requests with "stream": true'),
        ("max_toekns", 5, "request: unknown field 'max_toekns', did you mean 'max_tokens'? Allowed: model, "),
    ],
)
def test_what_is_not_supported_is_named(field: str, value: Any, words: str) -> None:
    found = refused(body(**{field: value}))
    assert found.message.startswith(words) and str(found.param).startswith(field)


def test_a_message_has_a_role_and_a_text() -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert refused(body(messages=parts)).param == "messages.0.content"
    named = [{"role": "user", "content": "Hello", "name": "me"}]
    assert refused(body(messages=named)).message == ("request.messages.0: unknown field 'name'. Allowed: role, content")
    assert refused(b'{"model": "m"}').message == "messages: must be given"
    assert refused(body(max_tokens=5, max_completion_tokens=6)).message.endswith("give one of them")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"", "must be JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "must be JSON"),
        (b'{"model": "a", "model": "b"}', "field 'model' stands twice in an object"),
        (b'{"seed": NaN}', "NaN is no JSON number"),
        (b'{"model": "\\ud800"}', "surrogates not allowed"),
        (b"[" * 200_000, "too deep"),
        (b'{"seed": ' + b"9" * 9000 + b"}", "must be JSON"),
    ],
)
def test_a_body_that_is_no_object_of_json_is_refused(given: bytes, words: str) -> None:
    found = refused(given)
    assert words in found.message and len(found.message) < 300 and found.code == "invalid_json"
