"""Encoded examples that are kept: as many tokens as there is room for, those that were asked for last."""

from peft_pipelines.data.encoded import Encoded, KeptExamples


def encoded_again(room: int, asked: str) -> str:
    """Which of the examples that are asked for are encoded; each has three tokens."""
    kept, again = KeptExamples(tokens=room), []
    for name in asked:
        kept.get(name, lambda name=name: again.append(name) or Encoded([1, 2], [ord(name)], False))
    return "".join(again)


def test_examples_are_kept_up_to_a_number_of_tokens() -> None:
    assert encoded_again(9, "abcabc") == "abc"
    assert encoded_again(8, "abaabb") == "ab"
    assert encoded_again(6, "abacab") == "abcb"
    assert encoded_again(2, "aab") == "aab"


def test_an_example_is_given_to_whom_it_belongs() -> None:
    kept = KeptExamples(tokens=6)
    for name in "abcab":
        assert kept.get(name, lambda name=name: Encoded([ord(name)], [], False)).prompt == [ord(name)]
