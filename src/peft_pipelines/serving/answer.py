"""An answer as it is made: its text in pieces, and what is known of it so far."""

from collections.abc import Iterator, Sequence
from functools import partial

from peft_pipelines.inference.answerer import Answerer
from peft_pipelines.inference.streaming import Choose, pieces, stream


class Answer(Iterator[str]):
    """The answer to a prompt, in pieces of text; each is made when it is asked for.

    Args:
        answerer: the method on its base, with the most tokens of this answer.
        prompt: the prompt's tokens.
        deterministic: whether a GPU gives the same bits each time, as ``training.deterministic`` has it.
        choose: chooses each token, such as a ``Sampler``; None for the greedy answer.

    Attributes:
        prompt: the prompt's tokens; a soft prompt is none of them.
        cancelled: set by any thread, it ends the answer before its next token.
    """

    def __init__(
        self, answerer: Answerer, prompt: Sequence[int], deterministic: bool, choose: Choose | None = None
    ) -> None:
        self.prompt, self._choose = list(prompt), choose
        self.cancelled = False
        self._said: list[int] = []
        self._same_bits = partial(answerer.base.same_bits, deterministic)
        self._stop = answerer.decoding.stop
        self._pieces = pieces(self._texts(answerer, prompt))

    def __next__(self) -> str:
        """Return what the next token adds to the text."""
        with self._same_bits():  # not between two pieces, when the caller may do anything
            return next(self._pieces)

    @property
    def prompt_tokens(self) -> int:
        """The number of the prompt's tokens."""
        return len(self.prompt)

    @property
    def new_tokens(self) -> int:
        """The number of tokens so far, the stop token included."""
        return len(self._said)

    @property
    def stopped(self) -> bool:
        """Whether the model has ended the answer by a stop token."""
        return bool(self._said) and self._said[-1] in self._stop

    def _texts(self, answerer: Answerer, prompt: Sequence[int]) -> Iterator[str]:
        """The answer's text after each token."""
        for token in stream(answerer.attached, prompt, answerer.decoding, self._choose):
            self._said.append(token)
            yield answerer.prompter.decode(self._said, answerer.decoding.stop)
            if self.cancelled:
                return
