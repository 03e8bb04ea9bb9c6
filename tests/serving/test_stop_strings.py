"""Stop strings cut an answer where they begin, however its text comes in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from peft_pipelines.serving.stop_strings import StopStrings


def cut_at_once(text: str, stops: list[str]) -> str | None:
    """The text before the stop string that is complete first, read letter by letter; None where there is none."""
    for end in range(len(text) + 1):
        begins = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if begins:
            return text[: min(begins)]
    return None


@given(st.lists(st.text("ab", max_size=12)), st.lists(st.text("ab", min_size=1, max_size=4), max_size=4))
def test_pieces_are_cut_as_the_whole_is(pieces: list[str], stops: list[str]) -> None:
    cut, whole = StopStrings(stops), "".join(pieces)
    shown = "".join(cut.let_through(piece) for piece in pieces) + cut.rest()
    expected = cut_at_once(whole, stops)
    assert (shown, cut.met) == (whole if expected is None else expected, expected is not None)


def test_nothing_is_kept_back_without_need() -> None:
    assert StopStrings(["END"]).let_through("the EN or E") == "the EN or "
    assert StopStrings([]).let_through("END") == "END"
