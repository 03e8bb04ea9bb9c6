"""The exact text and mask of a prompt and its answer, with and without a chat template."""

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.encoded import IGNORED, Encoded
from peft_pipelines.data.tokenize import Prompter, training_examples

END, PAD, START, STOP, BEGIN, HEAD, HEADED, EOT = range(256, 264)


def prompter(template: str | None, max_length: int = 512) -> Prompter:
    return Prompter(tiny.tokenizer(template), template is not None, max_length)


def text(one: Prompter, ids: list[int]) -> str:
    return one.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)


CHAT_PROMPT = "<|im_start|>user\nIs it fun?<|im_end|>\n<|im_start|>assistant\n"
DATED_PROMPT = (
    "<|begin|><|head|>system<|/head|>\n\nToday: 26 Jul 2024<|eot|>"
    "<|head|>user<|/head|>\n\nIs it fun?<|eot|><|head|>assistant<|/head|>\n\n"
)


@pytest.mark.parametrize(
    ("template", "prompt", "answer", "end"),
    [
        (None, "Is it fun?\n", "yes<|end|>", [END]),
        (tiny.CHATML, CHAT_PROMPT, "yes<|im_end|>", [STOP]),
        (tiny.DATED, DATED_PROMPT, "yes<|eot|>", [EOT]),
    ],
    ids=["plain", "chatml", "dated"],
)
def test_exact_text_and_mask(template, prompt, answer, end):
    one = prompter(template)
    row = one.encode("Is it fun?", "yes")
    assert text(one, row.prompt) == one.render("Is it fun?") == prompt
    assert text(one, row.answer) == answer
    assert one.end_of_turn() == end
    assert row.ids == row.prompt + row.answer
    assert row.labels == [IGNORED] * len(row.prompt) + row.answer
    assert not row.truncated


def test_special_tokens_of_the_template_are_single_tokens():
    ids = prompter(tiny.CHATML).encode("Q").ids
    assert (ids.count(START), ids.count(STOP)) == (2, 1)


def test_the_date_of_a_template_does_not_change_overnight():
    assert prompter(tiny.DATED).render("Q").count("26 Jul 2024") == 1


def test_a_template_may_say_anything_behind_the_end_of_turn():
    wordy = tiny.CHATML.replace("<|im_end|>\n", "<|im_end|>\nAs Always\n")
    assert prompter(wordy).end_of_turn() == [STOP]


def test_a_line_break_before_the_end_of_turn_belongs_to_it():
    one = prompter(tiny.CHATML.replace("<|im_end|>", "\n<|im_end|>"))
    assert text(one, one.encode("Q", "yes").answer) == "yes\n<|im_end|>"


def test_a_special_token_that_only_the_vocabulary_marks_ends_a_turn():
    tokenizer = tiny.tokenizer(tiny.CHATML)
    assert STOP not in tokenizer.all_special_ids
    assert Prompter(tokenizer, True, 64).end_of_turn() == [STOP]


def test_a_template_that_closes_a_turn_by_no_special_token_is_refused():
    with pytest.raises(ConfigError, match="no special token ends an answer"):
        prompter(tiny.UNCLOSED).encode("Q", "yes")


@pytest.mark.parametrize("template", [None, tiny.CHATML, tiny.DATED])
def test_for_generation_there_is_no_answer(template):
    one = prompter(template)
    assert one.encode("Is it fun?").answer == []
    assert one.encode("Is it fun?").prompt == one.encode("Is it fun?", "yes").prompt


def test_truncation_cuts_the_middle_of_the_prompt_only():
    one = prompter(tiny.CHATML)
    frame = len(one.encode("").ids)
    room = frame + 4 + len("yes") + 1
    row = prompter(tiny.CHATML, room).encode("Is it fun?", "yes")
    assert text(one, row.ids) == "<|im_start|>user\nIsn?<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>"
    assert row.truncated
    assert len(row.ids) == room


def test_without_a_template_truncation_keeps_the_line_break():
    row = prompter(None, 16).encode("0123456789abcdef", "yes")
    assert text(prompter(None), row.ids) == "012345bcdef\nyes<|end|>"
    assert row.truncated


def test_room_is_left_for_what_will_be_generated():
    row = prompter(None, 16).encode("0123456789abcdef", room=8)
    assert text(prompter(None), row.ids) == "0123def\n"
    assert row.truncated


def test_what_fits_exactly_is_not_truncated():
    assert not prompter(None, 16).encode("0123456789a", "yes").truncated
    assert prompter(None, 15).encode("0123456789a", "yes").truncated


def test_a_character_of_several_tokens_is_cut_whole():
    row = prompter(None, 8).encode("aaéééé", "y")
    assert text(prompter(None), row.prompt) == "aaé\n"
    assert len(row.ids) == 7


def test_an_answer_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="max_length 16: no room for the prompt beside 21 answer tokens"):
        prompter(None, 16).encode("Q", "x" * 20)


def test_a_template_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="no room for the prompt"):
        prompter(tiny.CHATML, 20).encode("Is it fun?", "yes")


def test_decoding_ends_before_the_stop_token():
    one = prompter(tiny.CHATML)
    answer = one.encode("Q", "yes").answer
    assert one.decode([*answer, 5, 6], [STOP]) == "yes"
    assert one.decode(answer[:-1], [STOP]) == "yes"


def test_decoding_keeps_blanks_and_punctuation_apart():
    one = prompter(None)
    assert one.decode(one.encode("", " ( 7 - 2 ) = 5 .").answer, [END]) == " ( 7 - 2 ) = 5 ."


@pytest.mark.parametrize("template", [None, tiny.CHATML, tiny.DATED])
def test_training_and_generation_agree_on_the_text(template):
    one = prompter(template)
    row = one.encode("Is it fun?", "naïve, yes")
    assert one.decode(row.answer, one.end_of_turn()) == "naïve, yes"


SHOTS = [("Is it dull?", "no"), ("Is it long?", "yes")]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (None, "Is it dull?\nno<|end|>Is it long?\nyes<|end|>Is it fun?\n"),
        (
            tiny.CHATML,
            "<|im_start|>user\nIs it dull?<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n"
            "<|im_start|>user\nIs it long?<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n" + CHAT_PROMPT,
        ),
    ],
    ids=["plain", "chatml"],
)
def test_shots_stand_before_the_question_as_rows_do_in_training(template, expected):
    one = prompter(template)
    row = one.encode("Is it fun?", shots=SHOTS)
    assert text(one, row.prompt) == one.render("Is it fun?", SHOTS) == expected
    assert (row.shots, row.truncated) == (2, False)
    assert all(text(one, one.encode(*shot).ids) in expected for shot in SHOTS)


@pytest.mark.parametrize("template", [None, tiny.CHATML, tiny.DATED])
def test_without_shots_nothing_changes(template):
    one = prompter(template)
    assert one.encode("Is it fun?", shots=[]) == one.encode("Is it fun?")


@pytest.mark.parametrize(("spare", "used"), [(0, 2), (-1, 1)])
def test_shots_that_do_not_fit_are_left_out_the_last_first(spare, used):
    room = len(prompter(None).encode("Is it fun?", shots=SHOTS).prompt) + 8 + spare
    row = prompter(None, room).encode("Is it fun?", room=8, shots=SHOTS)
    assert row == prompter(None).encode("Is it fun?", shots=SHOTS[:used])
    assert row.shots == used


def test_a_question_too_long_for_any_shot_is_cut_as_without_shots():
    row = prompter(None, 16).encode("0123456789abcdef", room=8, shots=SHOTS)
    assert text(prompter(None), row.prompt) == "0123def\n"
    assert (row.shots, row.truncated) == (0, True)


def test_an_answers_tokens_end_with_the_end_of_turn():
    one = prompter(tiny.CHATML)
    assert one.encode_answer("yes") == one.encode("Q", "yes").answer


ANSWERS = ("yes", "no", "yes")
CELL = {"limit": 256, "day": "2024-07-26", "instruction": "Is it fun?", "room": 4, "shots": 2}
"""What decides the tokens of a cell's examples beside their texts and the tokenizer."""


def cell_examples(tokenizer, limit: int, day: str, instruction: str, room: int, shots: int) -> list[Encoded]:
    """The examples of a cell of a task: to train on, and to answer."""
    found = Prompter(tokenizer, True, limit, day)
    rows = [{"prompt": f"{instruction} {number}", "references": [answer]} for number, answer in enumerate(ANSWERS)]
    drawn = [(row["prompt"], row["references"][0]) for row in rows[:shots]]
    return [
        *training_examples(found, rows),
        *(found.encode(row["prompt"], room=room, shots=drawn) for row in rows),
    ]


def counted(monkeypatch, tokenizer) -> list[str]:
    """The texts that a tokenizer is given from now on."""
    given, real = [], type(tokenizer).__call__
    monkeypatch.setattr(
        type(tokenizer), "__call__", lambda self, text, **how: given.append(text) or real(self, text, **how)
    )
    return given


def test_a_second_cell_of_a_task_encodes_nothing(monkeypatch):
    tokenizer = tiny.tokenizer(tiny.DATED)
    first, given = cell_examples(tokenizer, **CELL), counted(monkeypatch, tokenizer)
    assert cell_examples(tokenizer, **CELL) == first
    assert not given


@pytest.mark.parametrize(
    "change",
    [{"limit": 128}, {"day": "2025-01-01"}, {"instruction": "Is it good?"}, {"room": 8}, {"shots": 1}],
    ids=lambda change: next(iter(change)),
)
def test_a_cell_that_differs_encodes_anew(monkeypatch, change):
    tokenizer = tiny.tokenizer(tiny.DATED)
    cell_examples(tokenizer, **CELL)
    given = counted(monkeypatch, tokenizer)
    kept = cell_examples(tokenizer, **{**CELL, **change})
    assert given
    assert kept == cell_examples(tiny.tokenizer(tiny.DATED), **{**CELL, **change})


def test_another_tokenizer_encodes_anew(monkeypatch):
    cell_examples(tiny.tokenizer(tiny.DATED), **CELL)
    other = tiny.tokenizer(tiny.DATED)
    given = counted(monkeypatch, other)
    cell_examples(other, **CELL)
    assert any("Is it fun? 2" in text for text in given)
