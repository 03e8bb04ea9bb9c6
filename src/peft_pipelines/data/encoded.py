"""Examples as token ids, and those that are kept: all cells of a task ask for the same ones."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

IGNORED = -100
"""The label of a position without loss, as torch's cross entropy has it."""
Shot = tuple[str, str]
"""A prompt and its reference."""


@dataclass(frozen=True)
class Encoded:
    """One example as token ids.

    Attributes:
        prompt: the tokens up to the answer.
        answer: the tokens of the answer and of the end of the turn; empty for generation.
        truncated: whether the prompt lost text.
        shots: the number of examples with their answers before the prompt.
        task: the number of the example's task among those that are learnt together.
        group: what the example's row shares with others of its group, as a digest; empty where there are no groups.
        as_text: whether prompt or answer holds the text of a control token, which stays text.
    """

    prompt: list[int]
    answer: list[int]
    truncated: bool
    shots: int = 0
    task: int = 0
    group: str = ""
    as_text: bool = False

    @property
    def ids(self) -> list[int]:
        """The tokens of prompt and answer."""
        return self.prompt + self.answer

    @property
    def labels(self) -> list[int]:
        """The labels of ``ids``: ``IGNORED`` at the prompt, the answer's tokens at the answer."""
        return [IGNORED] * len(self.prompt) + self.answer


class Fitted(NamedTuple):
    """A prompt as far as it fits, the shots before it, and the tokens of both."""

    prompt: str
    shots: Sequence[Shot]
    tokens: list[int]


class KeptExamples:
    """Encoded examples by all that decides them; beyond a number of tokens the one that was asked for last is dropped.

    >>> kept = KeptExamples(tokens=4)
    >>> for text in ("one", "two", "one", "three"):
    ...     print(text, kept.get(text, lambda: print("encoded:", end=" ") or Encoded([1, 2], [], False)).prompt)
    encoded: one [1, 2]
    encoded: two [1, 2]
    one [1, 2]
    encoded: three [1, 2]
    """

    def __init__(self, tokens: int) -> None:
        self._limit, self._tokens = tokens, 0
        self._examples: dict[Hashable, Encoded] = {}

    def get(self, key: Hashable, encode: Callable[[], Encoded]) -> Encoded:
        """Return the example of a key, encoded if it is not kept."""
        example = self._examples.pop(key, None)
        if example is None:
            example = encode()
            self._tokens += _size(example)
        self._examples[key] = example
        while self._tokens > self._limit:
            self._tokens -= _size(self._examples.pop(next(iter(self._examples))))
        return example


def _size(example: Encoded) -> int:
    return len(example.prompt) + len(example.answer)
