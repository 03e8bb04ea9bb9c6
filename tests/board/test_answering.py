"""Answers as events: by turns, with visible control characters, and no further than somebody wants them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from peft_pipelines.board.answering import answers
from peft_pipelines.board.asked import Ask, Options, Turn
from peft_pipelines.config.errors import ConfigError

FIRST, SECOND = "lora.tiny.mood.s0", "zero_shot"


class MadeUp(Iterator[str]):
    """An answer of given pieces."""

    def __init__(self, pieces: str) -> None:
        self.prompt, self.new_tokens, self.stopped = [1, 2, 3], 0, False
        self._pieces = iter(pieces)

    def __next__(self) -> str:
        self.new_tokens += 1
        return next(self._pieces)


class Cell:
    """A cell that says given words, and keeps what it was asked."""

    def __init__(self, words: str) -> None:
        self.words, self.asked = words, []  # type: ignore[var-annotated]
        self.answerer = SimpleNamespace(method=SimpleNamespace(virtual_tokens=7))

    def stream_answer(self, text: str, **options: Any) -> MadeUp:
        self.asked.append((text, options))
        if self.words == "refuse":
            raise ConfigError("too long")
        return MadeUp(self.words)

    stream = stream_answer

    def seen(self, prompt: list[int]) -> str:
        return f"<|im_start|>{prompt}\u202e"


def told(cells: dict[str, Cell], asked: Ask, most: int = 100) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for event in answers(cells, asked, lambda: len(found) >= most):  # type: ignore[arg-type]
        found.append(event)
    return found


def test_cells_answer_by_turns() -> None:
    found = told({FIRST: Cell("ab"), SECOND: Cell("x")}, Ask(cells=(FIRST, SECOND), text="?"))
    assert found[0] == {
        **{"event": "prompt", "cell": FIRST, "text": "<|im_start|>[1, 2, 3]\\u202e", "tokens": 3, "virtual": 7}
    }
    pieces = [(event["cell"], event["text"]) for event in found if event["event"] == "piece"]
    assert pieces == [(FIRST, "a"), (SECOND, "x"), (FIRST, "b")]
    ends = [event for event in found if event["event"] == "answered"]
    assert [(event["cell"], event["new_tokens"], event["stopped"]) for event in ends] == [
        (SECOND, 2, False),
        (FIRST, 3, False),
    ]


def test_control_characters_are_visible_and_lines_stay() -> None:
    found = told({FIRST: Cell("\x1b\u202e\n<")}, Ask(cells=(FIRST,), text="?"))
    assert "".join(event["text"] for event in found if event["event"] == "piece") == "\\x1b\\u202e\n<"


def test_a_cell_that_cannot_answer_leaves_the_others() -> None:
    found = told({FIRST: Cell("refuse"), SECOND: Cell("x")}, Ask(cells=(FIRST, SECOND), text="?"))
    assert found[0] == {"event": "failed", "cell": FIRST, "message": "too long"}
    assert [event["event"] for event in found[1:]] == ["prompt", "piece", "answered"]


def test_nothing_is_made_that_nobody_wants() -> None:
    assert len(told({FIRST: Cell("x" * 50)}, Ask(cells=(FIRST,), text="?"), most=3)) == 3


def test_options_and_the_conversation_reach_the_cell() -> None:
    cell, turns = Cell("x"), (Turn(role="user", content="a"), Turn(role="assistant", content="b"))
    options = Options(max_new_tokens=3, temperature=0.5, seed=1)
    told({FIRST: cell}, Ask(cells=(FIRST,), text="?", instruction=False, talks={FIRST: turns}, options=options))
    ((messages, given),) = cell.asked
    assert [message["content"] for message in messages] == ["a", "b", "?"]  # type: ignore[index]
    assert given == {"max_new_tokens": 3, "sampling": options.sampling()}
    plain = Cell("x")
    told({FIRST: plain}, Ask(cells=(FIRST,), text="?"))
    assert plain.asked == [("?", {"sampling": None})]
