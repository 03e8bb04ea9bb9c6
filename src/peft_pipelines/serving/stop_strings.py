"""Texts at which an answer ends before the model ends it: they, and all behind them, are not part of it."""

from collections.abc import Sequence


class StopStrings:
    """Lets an answer's pieces through up to the first stop string; what may be the begin of one is kept back.

    The first one is that which is complete first, so that it does not depend on how the text comes in pieces.

    Args:
        stops: the strings, none of them empty.

    Attributes:
        met: whether one of them has been said.

    >>> cut = StopStrings(["END"])
    >>> [cut.let_through(piece) for piece in ("one E", "NE", "ND", "two")], cut.met
    (['one ', 'EN', '', ''], True)
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.met = False
        self._stops = stops
        self._kept = ""

    def let_through(self, piece: str) -> str:
        """Return what may be shown now that this piece is said."""
        if self.met:
            return ""
        text = self._kept + piece
        complete = [(place + len(stop), place) for stop in self._stops if (place := text.find(stop)) >= 0]
        if complete:
            self.met, self._kept = True, ""
            return text[: min(complete)[1]]
        begun = max((_begun(text, stop) for stop in self._stops), default=0)
        self._kept = text[len(text) - begun :]
        return text[: len(text) - begun]

    def rest(self) -> str:
        """Return what was kept back, once nothing more is said."""
        return self._kept


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text are the first ones of a stop string.

    >>> _begun("one E", "END"), _begun("two", "END")
    (1, 0)
    """
    return next((length for length in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:length])), 0)
