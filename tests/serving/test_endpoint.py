"""The endpoint over HTTP, on a cell without a model: what is refused, by which status, and what a lost client does."""

import http.client
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from made_up_cells import MadeUpCell, listening, wait

from peft_pipelines.serving import endpoint, model_worker

NAME, OTHER, TOKEN = "lora.tiny.mood.s0", "ia3.tiny.mood.s0", "a-token-of-some-length"


class Answered(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


def answer(text: str) -> Iterator[str]:
    """Endless for one question, broken for another; else the question, by letters."""
    if text == "broken":
        raise MemoryError("secret")
    if text == "breaks":
        yield "be"
        raise MemoryError("secret")
    yield from (slowly() if text == "endless" else text)


def slowly() -> Iterator[str]:
    for _ in itertools.count():
        time.sleep(0.01)
        yield "x"


def sent(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
    """The response to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body or None, {name.replace("_", "-"): one for name, one in headers.items()})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    plain = response.getheader("Content-Type", "").startswith("application/json")
    return Answered(response.status, json.loads(text) if plain else text, dict(response.getheaders()))


def request(text: str, **fields: Any) -> bytes:
    return json.dumps({"model": NAME, "messages": [{"role": "user", "content": text}], **fields}).encode()


def asked(port: int, text: str, fields: Any = None, **headers: str) -> Answered:
    return sent(port, "POST", "/v1/chat/completions", request(text, **(fields or {})), **headers)


@pytest.fixture(scope="module")
def cell() -> MadeUpCell:
    return MadeUpCell(NAME, answer)


@pytest.fixture(scope="module")
def port(cell: MadeUpCell) -> Iterator[int]:
    with listening(cell, MadeUpCell(OTHER, lambda text: iter(text.upper()))) as found:
        yield found


def test_a_stream_is_server_sent_events_as_openai_has_them(port: int) -> None:
    found = asked(port, "né", {"stream": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = found.body.split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert (done, rest) == ("data: [DONE]", "") and len({chunk["id"] for chunk in chunks}) == 1
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": ""},
        *({"content": "n"}, {"content": "é"}, {}),
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_a_request_is_answered_by_the_cell_that_it_names(port: int) -> None:
    found = [asked(port, "hello", {"model": name}).body for name in (NAME, OTHER)]
    assert [one["choices"][0]["message"]["content"] for one in found] == ["hello", "HELLO"]
    assert [one["model"] for one in found] == [NAME, OTHER]
    assert [one["id"] for one in sent(port, "GET", "/v1/models").body["data"]] == [NAME, OTHER]


def test_each_refusal_has_its_status_and_openais_form(port: int) -> None:
    path, large = "/v1/chat/completions", b" " * (endpoint.MOST_BYTES + 1)
    for found, status, code, words in (
        (sent(port, "POST", path, b"{"), 400, "invalid_json", "body: must be JSON"),
        (asked(port, "x", {"n": 2}), 400, "unsupported_value", "n: must be 1"),
        (asked(port, "x", {"model": "zero"}), 404, "model_not_found", f"unknown model 'zero'. Allowed: {NAME}"),
        (sent(port, "GET", "/v1/models/zero"), 404, "model_not_found", "unknown model 'zero'"),
        (sent(port, "POST", path, large), 413, "body_too_large", "must have at most 1048576 bytes"),
        (sent(port, "GET", "/v1/embeddings"), 404, None, "the paths are /v1/chat/completions, /v1/models, /health"),
        (sent(port, "GET", path), 405, None, "Method Not Allowed"),
        (asked(port, "broken"), 500, "failed", "the server's log says why"),
    ):
        assert found.status == status, found
        assert set(found.body["error"]) == {"message", "type", "param", "code"}
        assert found.body["error"]["code"] == code and words in found.body["error"]["message"]
        assert found.body["error"]["type"] == ("server_error" if status == 500 else "invalid_request_error")
        assert "secret" not in json.dumps(found.body)
    assert asked(port, "fine").body["choices"][0]["message"]["content"] == "fine"


def test_what_fails_in_a_stream_is_told_in_the_stream(port: int) -> None:
    *_, last, rest = asked(port, "breaks", {"stream": True}).body.split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "failed" and rest == ""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "localhost.", "[::1", ""])
def test_a_host_that_is_not_this_machine_is_refused(port: int, host: str) -> None:
    for path in ("/health", "/v1/models"):
        found = sent(port, "GET", path, Host=host)
        assert (found.status, found.body["error"]["code"]) == (403, "wrong_host")
    assert sent(port, "POST", "/v1/chat/completions", request("x"), Host="evil.example").status == 403


def test_this_machines_names_and_pages_are_answered(port: int) -> None:
    for host in ("localhost", f"LOCALHOST:{port}", "127.0.0.1", f"[::1]:{port}"):
        assert sent(port, "GET", "/health", Host=host).body == {"status": "ok"}
    here = f"127.0.0.1:{port}"
    assert sent(port, "GET", "/v1/models", Host=here, Origin=f"http://{here}").status == 200
    for origin in ("http://evil.example", "null", f"https://{here}", "http://localhost:1"):
        assert sent(port, "GET", "/v1/models", Host=here, Origin=origin).body["error"]["code"] == "wrong_origin"


def test_a_token_is_asked_for_and_any_host_is_taken(cell: MadeUpCell) -> None:
    with listening(cell, loopback=False, token=TOKEN) as port:
        for given in (
            {},
            {"Authorization": "Bearer "},
            {"Authorization": TOKEN},
            {"Authorization": f"Bearer {TOKEN}x"},
        ):
            found = asked(port, "x", Host="me.example", **given)
            assert (found.status, found.body["error"]["code"]) == (401, "invalid_api_key")
            assert found.headers["www-authenticate"] == "Bearer" and TOKEN not in json.dumps(found.body)
        assert sent(port, "GET", "/health").status == 200
        assert asked(port, "x", Host="me.example", Authorization=f"Bearer {TOKEN}").status == 200


def lost_client(port: int, *, stream: bool) -> socket.socket:
    """A client that has asked and reads nothing."""
    body = request("endless", stream=stream)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(head.encode() + body)
    return connection


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_ends_its_answer(port: int, cell: MadeUpCell, stream: bool) -> None:
    before = len(cell.asked)
    first, second = lost_client(port, stream=stream), lost_client(port, stream=stream)
    wait(lambda: len(cell.asked) > before)
    second.close()  # it still waits for its turn
    time.sleep(0.3)
    assert not cell.asked[before][1].cancelled
    first.close()
    wait(lambda: cell.asked[before][1].cancelled)
    assert asked(port, "next").body["choices"][0]["message"]["content"] == "next"
    assert [text for text, _ in cell.asked[before:]] == ["endless", "next"]


def test_requests_are_answered_in_their_order_one_at_a_time(port: int, cell: MadeUpCell) -> None:
    before = len(cell.asked)
    going = lost_client(port, stream=False)
    wait(lambda: len(cell.asked) > before)
    threads = [threading.Thread(target=asked, args=(port, f"{number}")) for number in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.2)
    assert len(cell.asked) == before + 1
    going.close()
    for thread in threads:
        thread.join()
    assert [text for text, _ in cell.asked[before + 1 :]] == ["0", "1", "2", "3"]


def test_more_requests_than_may_wait_are_refused(port: int, cell: MadeUpCell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_worker, "MOST_WAITING", 0)
    assert (asked(port, "x").status, asked(port, "x").body["error"]["code"]) == (429, "too_many_requests")
