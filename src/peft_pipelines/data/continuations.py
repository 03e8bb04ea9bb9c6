"""A context and the continuations whose likelihood is wanted behind it, as tokens.

They are cut apart as lm-evaluation-harness cuts them (``TemplateLM._encode_pair`` in its ``api/model.py``, 0.4.13):
white space at the end of the context belongs to the continuation, and a continuation is what the tokens of both
together have beyond as many as the context has alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.label_continuations import ContinuationSpec
from peft_pipelines.data.choices import CHOICES, CONTEXT
from peft_pipelines.data.encoded import Shot
from peft_pipelines.data.plain_text import RowTokens
from peft_pipelines.data.tokenize import Prompter

Render = Callable[[Callable[[str], str]], str]
"""Returns a whole text; it calls its argument for each text of a row."""


@dataclass(frozen=True)
class Continued:
    """The tokens of a context, and of each continuation of it; none is empty."""

    context: list[int]
    continuations: list[list[int]]


@dataclass(frozen=True)
class Continuations:
    """The contexts and continuations of a task's examples.

    Attributes:
        prompter: formats and tokenizes prompts for the model.
        spec: the field of the task's row.
        room: tokens that are left free behind a prompt, or more for longer continuations: so prompts are cut as they
            are before an answer.
        most: tokens that the model has positions for, less those of a soft prompt; None where it has no such limit.
    """

    prompter: Prompter
    spec: ContinuationSpec
    room: int
    most: int | None

    def encode(self, example: Mapping[str, Any], shots: Sequence[Shot] = ()) -> Continued:
        """Return the tokens of an example.

        A prompt that is too long for ``max_length`` beside its longest continuation loses its middle, as it does before
        an answer; a context of the row's own that is too long for the model loses its beginning.

        Args:
            example: a row with the columns ``prompt`` and ``choices``, and ``context`` where the task's row has it.
            shots: examples to put before the prompt, with their answers.

        Raises:
            ConfigError: a continuation has no token of its own, or is as long as the model.
        """
        texts = [self.spec.delimiter + text for text in example[CHOICES]]
        if self.spec.context is None:
            longest = max(len(self.prompter.row_tokens.of(text)[0]) for text in texts)
            fitted = self.prompter.fitted(example["prompt"], max(self.room, longest), shots)
            return self._split(lambda mask: self._prompt(mask, fitted.prompt, fitted.shots), texts, len(fitted.shots))
        found = self._split(lambda mask: mask(example[CONTEXT]), texts, None)
        if self.most is None:
            return found
        # the last token of a continuation is only predicted: the model never reads it
        kept = self.most + 1 - max(map(len, found.continuations))
        if kept < 1:
            raise ConfigError(
                f"a continuation of {1 + self.most - kept} tokens leaves no room for a context of the model"
            )
        return Continued(found.context[-kept:], found.continuations)

    def _split(self, render: Render, texts: Sequence[str], shots: int | None) -> Continued:
        whole = render(lambda text: text)
        bare = whole.rstrip()
        context = self._tokens(lambda mask: render(mask)[: len(bare) - len(whole) or None], shots)
        rests = [self._tokens(_with(render, text), shots)[len(context) :] for text in texts]
        if not all(rests):
            empty = next(text for text, rest in zip(texts, rests, strict=True) if not rest)
            raise ConfigError(f"continuation {empty!r:.80} has no token of its own behind its context")
        return Continued(context, rests)

    def _tokens(self, render: Render, shots: int | None) -> list[int]:
        """The tokens of a text: behind some shots of the prompter, or of the row's own context where that is None."""
        if shots is None:
            return self._plain.rendered(render, lambda: "?", 0, add_special_tokens=True)
        return self.prompter.tokens(render, shots)

    def _prompt(self, mask: Callable[[str], str], prompt: str, shots: Sequence[Shot]) -> str:
        return self.prompter.render(mask(prompt), [(mask(earlier), mask(answer)) for earlier, answer in shots])

    @cached_property
    def _plain(self) -> RowTokens:
        """The tokens of texts outside the chat template."""
        return RowTokens(self.prompter.tokenizer, "")


def _with(render: Render, text: str) -> Render:
    return lambda mask: render(mask) + mask(text)
