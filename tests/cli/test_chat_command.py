"""``kedro chat``: questions from a pipe, alone and beside another method, and how it ends."""

from typing import Any

import pytest
import torch
from catalogs import catalog_of, stored
from click.testing import CliRunner, Result
from project import ROWS, Project, project
from recorded import LORA, original, recorded

from peft_pipelines.files.escape import for_terminal
from peft_pipelines.models import base_model
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import load_cell

__all__ = ["original", "project", "recorded"]

QUESTIONS = "".join(f"{row['sentence']}\n" for row in ROWS[:2])


@pytest.fixture
def piped(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(text: str | bytes, *arguments: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            invoke = CliRunner.invoke
            patch.setattr(CliRunner, "invoke", lambda self, *given: invoke(self, *given, input=text))
            return recorded.kedro("chat", LORA, *arguments)

    return run


def shown(text: str) -> str:
    return for_terminal(text, keep="\n")


def test_each_line_is_asked_as_in_scoring(piped: Any) -> None:
    done = piped(f"\n{QUESTIONS}  \n")
    assert done.exit_code == 0, done.output
    assert done.stdout == "".join(shown(f"{row['prediction']}\n") for row in stored(LORA)[:2])
    assert done.stderr == ""


def test_the_untuned_model_answers_beside_it_without_a_cell(piped: Any) -> None:
    tuned, untuned = stored(LORA)[0], stored("zero_shot.tiny.mood.s0")[0]
    done = piped(QUESTIONS.splitlines()[0], "--beside=zero_shot")
    assert done.exit_code == 0, done.output
    assert done.stdout == shown(f"lora: {tuned['prediction']}\nzero_shot: {untuned['prediction']}\n")


def test_without_the_instruction_the_conversation_goes_on(recorded: Project, piped: Any) -> None:
    done = piped("Hello\nAnd you?\n", "--no-instruction", "--max-new-tokens=4")
    assert done.exit_code == 0, done.output
    with catalog_of(recorded) as catalog:
        cell = load_cell(catalog, LORA)
        first = "".join(cell.stream([{"role": "user", "content": "Hello"}], 4))
        turns = [("user", "Hello"), ("assistant", first), ("user", "And you?")]
        second = "".join(cell.stream([{"role": role, "content": text} for role, text in turns], 4))
    assert done.stdout == shown(f"{first}\n{second}\n")


def test_what_a_model_says_is_text_and_nothing_more(piped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LoadedCell, "stream_answer", lambda *_: iter(["\x1b", "[2J", "red\u202e"]))
    assert piped("x\n").stdout == "\\x1b[2Jred\\u202e\n"


def test_a_signal_ends_it_without_a_traceback(piped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Any:
        yield "po"
        raise KeyboardInterrupt

    monkeypatch.setattr(LoadedCell, "stream_answer", interrupted)
    done = piped("x\ny\n")
    assert (done.exit_code, done.stdout, done.stderr) == (130, "po\n", "")


def test_mistakes_are_one_line_before_a_model_is_read(piped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped(b"\xff\n").stderr == "Error: standard input: must be UTF-8, got 0xff\n"
    monkeypatch.setattr(base_model, "resident", lambda *_: pytest.fail("a model is read"))
    for arguments, words in {
        ("--beside=zero",): "--beside: unknown method 'zero', did you mean 'zero_shot",
        ("--beside=ia3",): "cell 'ia3.tiny.mood.s0': has not been made",
        ("--max-new-tokens=0",): "--max-new-tokens: must be a whole number from 1 to 1000, got '0'",
        ("--run=2020",): "RUN_ID: unknown run '2020'",
        ("--run=",): "--run: must be a name, got ''",
    }.items():
        done = piped("x\n", *arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Error: {words}") and len(done.stderr.splitlines()) == 1, done.stderr


def test_it_computes_on_the_threads_of_a_cell(piped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def answered(*_: object) -> Any:
        found.append(torch.get_num_threads())
        yield "x"

    monkeypatch.setattr(LoadedCell, "stream_answer", answered)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = torch.get_num_threads()
    assert piped("x\n").exit_code == 0
    assert (found, torch.get_num_threads()) == ([3], before)


def test_an_answer_is_drawn_where_a_temperature_is_given(recorded: Project, piped: Any) -> None:
    hot = ["--temperature=50", "--max-new-tokens=8", "--sampling-seed"]
    one, again, other = (piped(QUESTIONS, *hot, seed).stdout for seed in ("1", "1", "2"))
    assert one == again != other
    done = piped(QUESTIONS, "--top-k=3")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: --top-k: is for answers with a temperature, got 3 without one\n",
    )
