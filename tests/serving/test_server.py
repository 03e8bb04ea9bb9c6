"""Cells behind a server of its own process, asked by OpenAI's client: all ways to ask have the cell's own answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from catalogs import catalog_of
from project import Project, project
from recorded import LORA, ZERO, original, recorded
from served import Served, served

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.listening import bound
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell
from peft_pipelines.serving.server import TOKEN, token_for

__all__ = ["original", "project", "recorded"]

openai = pytest.importorskip("openai", reason="the client comes with the extra dev")
MOST = 24


@pytest.fixture(scope="module")
def server(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(original, tmp_path_factory.mktemp("server") / "out", LORA, ZERO) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[Any]:
    with openai.OpenAI(base_url=server.address, api_key="none", max_retries=0) as found:
        yield found


@pytest.fixture
def cells(recorded: Project) -> Iterator[dict[str, LoadedCell]]:
    with catalog_of(recorded) as catalog:
        yield {name: load_cell(catalog, name) for name in (LORA, ZERO)}


def turns(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def streamed(client: Any, model: str, text: str, **options: Any) -> tuple[str, Any]:
    """The text of a stream, and its last chunk."""
    options = {"max_completion_tokens": MOST, "stream_options": {"include_usage": True}, **options}
    chunks = list(client.chat.completions.create(model=model, messages=turns(text), stream=True, **options))
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons[:-1] == [None] * (len(reasons) - 1) and chunks[0].choices[0].delta.role == "assistant"
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


def test_whole_streamed_and_direct_answers_are_one(client: Any, cells: dict[str, LoadedCell]) -> None:
    for model, cell in cells.items():
        direct = cell.stream(turns("line 0"), MOST)
        expected = "".join(direct)
        whole = client.chat.completions.create(model=model, messages=turns("line 0"), max_tokens=MOST, temperature=0)
        text, chunks = streamed(client, model, "line 0")
        assert whole.choices[0].message.content == text == expected
        assert whole.usage == chunks[-1].usage
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (direct.prompt_tokens, direct.new_tokens)
        reason = "stop" if direct.stopped else "length"
        assert whole.choices[0].finish_reason == chunks[-2].choices[0].finish_reason == reason
        assert whole.model == model and whole.system_fingerprint == cell.recorded.version


def test_a_stop_string_ends_the_answer_before_itself(client: Any, cells: dict[str, LoadedCell]) -> None:
    expected = "".join(cells[LORA].stream(turns("line 0"), MOST))
    stop = expected[3:5]
    kept = expected[: expected.index(stop)]
    whole = client.chat.completions.create(
        model=LORA, messages=turns("line 0"), max_tokens=MOST, stop=["never said", stop]
    )
    text, chunks = streamed(client, LORA, "line 0", stop=stop)
    assert whole.choices[0].message.content == text == kept
    assert whole.choices[0].finish_reason == chunks[-2].choices[0].finish_reason == "stop"
    assert whole.usage == chunks[-1].usage and whole.usage.completion_tokens < MOST


def test_a_conversation_goes_on_behind_the_answer_that_came(client: Any, cells: dict[str, LoadedCell]) -> None:
    first = client.chat.completions.create(model=LORA, messages=turns("line 0"), max_tokens=MOST).choices[0].message
    said = [*turns("line 0"), {"role": "assistant", "content": first.content}, *turns("line 1")]
    messages = [*turns("line 0"), first, *turns("line 1")]
    found = client.chat.completions.create(model=LORA, messages=messages, max_tokens=MOST)
    assert found.choices[0].message.content == "".join(cells[LORA].stream(said, MOST))


def test_sixteen_clients_at_once_each_get_their_answer(client: Any, cells: dict[str, LoadedCell]) -> None:
    asked = [((LORA, ZERO)[number % 2], f"question {number}") for number in range(16)]
    expected = ["".join(cells[model].stream(turns(text), MOST)) for model, text in asked]

    def answer(number: int) -> str:
        model, text = asked[number]
        if number % 4 < 2:
            return streamed(client, model, text)[0]
        found = client.chat.completions.create(model=model, messages=turns(text), max_tokens=MOST)
        return str(found.choices[0].message.content)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(answer, range(16))) == expected
    assert len(set(expected)) > 8


def test_the_cells_are_the_models_that_it_lists(client: Any) -> None:
    found = {model.id: model for model in client.models.list()}
    assert list(found) == [LORA, ZERO] and client.models.retrieve(LORA) == found[LORA]
    assert found[LORA].owned_by == "peft_pipelines" and found[LORA].created > 1.7e9
    with pytest.raises(openai.NotFoundError, match=f"unknown model 'lora'. Allowed: {LORA}, {ZERO}"):
        client.chat.completions.create(model="lora", messages=turns("line 0"))


def test_what_no_cell_can_answer_is_told_before_a_stream_begins(client: Any) -> None:
    for options, words in (
        ({"max_tokens": 1020}, "must fit into the model's 1024 positions"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "unknown role 'tool'"),
    ):
        request = {"model": LORA, "messages": turns("line 0"), "stream": True, **options}
        with pytest.raises(openai.BadRequestError, match=words):
            client.chat.completions.create(**request)


def test_ctrl_c_ends_it_and_the_answer_in_the_making(original: Path, tmp_path: Path) -> None:
    with served(original, tmp_path / "out", *ZERO.split(".")) as one:
        with openai.OpenAI(base_url=one.address, api_key="none", max_retries=0) as client:
            going = client.chat.completions.create(model=ZERO, messages=turns("x"), max_tokens=900, stream=True)
            assert next(going).choices[0].delta.role == "assistant"
            assert one.interrupted() == 0
            with pytest.raises(openai.APIError, match="the server is ending"):
                list(going)
        assert one.out.read_text().splitlines() == [ZERO, one.address, "ended"]


def test_elsewhere_than_on_the_loopback_a_token_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    with bound("127.0.0.1", 0) as here, bound("0.0.0.0", 0) as anywhere:
        assert token_for(here) == (None, False)
        made = [token_for(anywhere) for _ in range(2)]
        assert made[0][1] and made[0] != made[1] and len(made[0][0] or "") > 40
        monkeypatch.setenv(TOKEN, "0123456789abcdef")
        assert token_for(here) == token_for(anywhere) == ("0123456789abcdef", False)
        for bad in ("", "0123456789abcde", "0123456789 abcdef", "0123456789abcdéf"):
            monkeypatch.setenv(TOKEN, bad)
            with pytest.raises(ConfigError, match=f"{TOKEN}: must be at least 16 letters"):
                token_for(here)


def test_an_address_that_cannot_be_had_is_one_line() -> None:
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on '127.0.0.1', port {port}: Address already in use"):
            bound("127.0.0.1", port)
    with pytest.raises(ConfigError, match=r"cannot listen on 'no\.such\.invalid', port 1: "):
        bound("no.such.invalid", 1)
