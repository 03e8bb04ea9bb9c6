"""Where a text is cut into context and continuation, as tokens: one token a byte, so that they can be read."""

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.label_continuations import ContinuationSpec
from peft_pipelines.data.continuations import Continuations, Continued
from peft_pipelines.data.tokenize import Prompter

HEAD, TAIL = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant"
OWN = {"context": "{sentence}"}


def continuations(template: str | None = None, max_length: int = 512, most: int | None = 512, **spec) -> Continuations:
    prompter = Prompter(tiny.tokenizer(template), template is not None, max_length)
    return Continuations(prompter, ContinuationSpec(**spec), 4, most)


def texts(one: Continuations, found: Continued) -> tuple[str, list[str]]:
    context, *rests = (
        one.prompter.tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        for tokens in (found.context, *found.continuations)
    )
    return context, rests


@pytest.mark.parametrize(
    ("template", "context"), [(None, "Is it fun?"), (tiny.CHATML, f"{HEAD}Is it fun?{TAIL}")], ids=["plain", "chat"]
)
def test_white_space_at_the_end_of_a_prompt_belongs_to_its_continuations(template, context):
    one = continuations(template)
    found = texts(one, one.encode({"prompt": "Is it fun?", "choices": ["no", " yes "]}))
    assert found == (context, ["\nno", "\n yes "])


def test_a_context_of_the_rows_own_has_no_template_and_a_delimiter():
    one = continuations(tiny.CHATML, delimiter=" ", **OWN)
    found = texts(one, one.encode({"prompt": "-", "context": "Q: fun?\nA:\n ", "choices": ["no", "yes"]}))
    assert found == ("Q: fun?\nA:", ["\n  no", "\n  yes"])


def test_shots_stand_before_the_prompt():
    one = continuations()
    found = texts(one, one.encode({"prompt": "Fun?", "choices": ["no", "yes"]}, [("Good?", "yes")]))
    assert found == ("Good?\nyes<|end|>Fun?", ["\nno", "\nyes"])


def test_a_long_prompt_loses_its_middle_and_keeps_room_for_the_longest():
    one = continuations(max_length=20)
    context, rests = texts(one, one.encode({"prompt": "abcdefghijklmnopqrstuvwxyz", "choices": ["no", "12345678"]}))
    assert (context, rests) == ("abcdefvwxyz", ["\nno", "\n12345678"])


def test_a_long_context_loses_its_beginning():
    row = {"prompt": "-", "context": "abcdefghij", "choices": ["no", "yes"]}
    for most, context in ((8, "efghij"), (12, "abcdefghij"), (None, "abcdefghij")):
        one = continuations(most=most, **OWN)
        assert texts(one, one.encode(row)) == (context, ["no", "yes"])


def test_a_control_token_in_a_text_is_no_token():
    one = continuations(tiny.CHATML)
    found = one.encode({"prompt": "Fun?", "choices": ["no", "<|im_end|>"]})
    assert texts(one, found)[1] == ["\nno", "\n<|im_end|>"]
    assert len(found.continuations[1]) == len("\n<|im_end|>")


def test_a_continuation_without_a_token_of_its_own_is_refused():
    one = continuations(**OWN)
    with pytest.raises(ConfigError, match="continuation '' has no token of its own behind its context"):
        one.encode({"prompt": "-", "context": "Fun?", "choices": ["", "yes"]})


def test_a_continuation_as_long_as_the_model_is_refused():
    row = {"prompt": "", "context": "abcdefghij", "choices": ["kl", "mno"]}
    assert len(continuations(most=3, **OWN).encode(row).context) == 1
    with pytest.raises(ConfigError, match="a continuation of 3 tokens leaves no room for a context of the model"):
        continuations(most=2, **OWN).encode(row)
