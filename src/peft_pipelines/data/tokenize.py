"""Prompt and answer to token ids and labels, and back. Training and generation both use it.

A chat model gets the prompt in the user's turn, by its own template; a base model gets it as plain text and a line
break. The loss covers the answer and the end of the turn, nothing else.

Shots, examples with their answers before a prompt, read as examples do in training, each with instruction and end:
earlier turns of user and assistant, or text up to the end-of-text token. So they show where an answer ends.
"""

import json
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.model import FIXED_DATE
from peft_pipelines.data.chat_template import ANSWER, ChatTemplate
from peft_pipelines.data.encoded import Encoded, Fitted, KeptExamples, Shot
from peft_pipelines.data.plain_text import RowTokens, without_middle

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KEPT = KeptExamples(tokens=1_000_000)
"""The examples that this process keeps, some 40 MB of them."""


@dataclass(frozen=True)
class Prompter:
    """The format of one model's prompts and answers, by its chat template or as plain text.

    ``max_length`` limits prompt and answer, in tokens; ``day`` is the template's date, ``values`` what it is given.

    >>> chat = Prompter(tokenizer, chat=True, max_length=512)      # doctest: +SKIP
    >>> chat.render("Is it good?")                                 # doctest: +SKIP
    '<|im_start|>user\\nIs it good?<|im_end|>\\n<|im_start|>assistant\\n'
    """

    tokenizer: "PreTrainedTokenizerBase"
    chat: bool
    max_length: int
    day: str = FIXED_DATE
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelSpec, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> "Prompter":
        """Return the prompter of a model's row."""
        return cls(tokenizer, model.chat_template, max_length, model.date, model.chat_template_kwargs)

    def render(self, prompt: str, shots: Sequence[Shot] = ()) -> str:
        """Return the text before the answer, shots included."""
        if not self.chat:
            end = self.tokenizer.eos_token
            return "".join(f"{earlier}\n{answer}{end}" for earlier, answer in shots) + f"{prompt}\n"
        turns = [turn for earlier, answer in shots for turn in (("user", earlier), ("assistant", answer))]
        roles = [{"role": role, "content": text} for role, text in [*turns, ("user", prompt)]]
        return self.template.render(roles, add_generation_prompt=True)

    def end_of_turn(self) -> list[int]:
        """Return the tokens that end an answer: those that the template puts behind it, up to the first special token.

        Raises:
            ConfigError: the template closes a turn by no special token, or there is no end-of-text token.
        """
        if not self.chat:
            behind = [self.tokenizer.eos_token_id]
        else:
            turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ANSWER}]
            text = self.template.render(turns, add_generation_prompt=False).rpartition(ANSWER)[2]
            behind = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        stop = next((place for place, token in enumerate(behind) if token in self.row_tokens.special), None)
        if stop is None:
            raise ConfigError(f"tokenizer '{self.tokenizer.name_or_path}': no special token ends an answer")
        return behind[: stop + 1]

    def encode(self, prompt: str, answer: str | None = None, room: int = 0, shots: Sequence[Shot] = ()) -> Encoded:
        """Return an example's tokens; too long a prompt loses its middle, since it often ends with the question.

        The answer and the template are never cut. Of shots that do not fit the last are left out. An example that this
        process has encoded before is not encoded again: methods and seeds of a task see the same ones.

        Args:
            prompt: instruction and input.
            answer: the reference, for training; None for generation.
            room: tokens to leave free for the generated answer.
            shots: examples to put before it, with their answers.

        Raises:
            ConfigError: the answer alone does not fit.
        """
        decided_by = (*self._format, prompt, answer, room, tuple(shots))
        return KEPT.get(decided_by, lambda: self._encode(prompt, answer, room, shots))

    def _encode(self, prompt: str, answer: str | None, room: int, shots: Sequence[Shot]) -> Encoded:
        tail = self.encode_answer(answer) if answer is not None else []
        as_text = self.row_tokens.hold_control(prompt) or (answer is not None and self.row_tokens.hold_control(answer))
        fitted = self.fitted(prompt, len(tail) + room, shots)
        return Encoded(fitted.tokens, tail, fitted.prompt != prompt, len(fitted.shots), as_text=as_text)

    def fitted(self, prompt: str, room: int, shots: Sequence[Shot]) -> Fitted:
        """Return a prompt with the shots that fit before it; without any, as much of it as fits.

        Args:
            prompt: instruction and input.
            room: tokens of ``max_length`` to leave free.
            shots: examples to put before it, with their answers.

        Raises:
            ConfigError: there is no room for any of it.
        """
        limit = self.max_length - room
        for used in range(len(shots), 0, -1):
            head = self._prompt(prompt, shots[:used])
            if len(head) <= limit:
                return Fitted(prompt, shots[:used], head)
        head, shorter = self._prompt(prompt), prompt
        excess = len(head) - limit
        while len(head) > limit:
            shorter = without_middle(prompt, self.row_tokens.of(prompt)[1], excess)
            if not shorter:
                raise ConfigError(f"max_length {self.max_length}: no room for the prompt beside {room} answer tokens")
            head = self._prompt(shorter)
            excess += max(1, len(head) - limit)
        return Fitted(shorter, (), head)

    def encode_answer(self, text: str) -> list[int]:
        """Return the tokens of an answer, with the end of the turn."""
        decided_by = (*self._format, text)
        return KEPT.get(decided_by, lambda: Encoded([], self.row_tokens.of(text)[0] + self._frame.answer, False)).answer

    def fits(self, answer: str) -> bool:
        """Whether an answer leaves room for any of its prompt."""
        return len(self._frame.prompt) + len(self.encode_answer(answer)) < self.max_length

    def decode(self, tokens: Sequence[int], stop: Sequence[int]) -> str:
        """Return the text of generated tokens, up to the end of the turn."""
        end = next((place for place, token in enumerate(tokens) if token in stop), len(tokens))
        text: str = self.tokenizer.decode(tokens[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def _format(self) -> tuple[Hashable, ...]:
        """All that decides the tokens of a text; a tokenizer is the same one, not one like it."""
        values = json.dumps(self.values, sort_keys=True)
        return (weakref.ref(self.tokenizer), self.chat, self.max_length, self.day, values)

    @cached_property
    def _frame(self) -> Encoded:
        """An example with an empty prompt and an empty answer."""
        return KEPT.get(self._format, lambda: Encoded(self._prompt(""), self.end_of_turn(), False))

    @cached_property
    def template(self) -> ChatTemplate:
        """The model's chat template; the tokenizer has one."""
        text: str = self.tokenizer.get_chat_template()
        return ChatTemplate(text, self.tokenizer.special_tokens_map, self.day, self.values)

    @cached_property
    def row_tokens(self) -> RowTokens:
        """The tokens of rows' texts."""
        return RowTokens(self.tokenizer, self.template.text if self.chat else "")

    def _prompt(self, prompt: str, shots: Sequence[Shot] = ()) -> list[int]:
        def render(mask: Callable[[str], str]) -> str:
            return self.render(mask(prompt), [(mask(earlier), mask(answer)) for earlier, answer in shots])

        return self.tokens(render, len(shots))

    def tokens(self, render: Callable[[Callable[[str], str]], str], shots: int) -> list[int]:
        """Return the tokens of a text that begins as prompts do; ``render`` as for ``RowTokens.rendered``."""

        def empty() -> str:
            return self.render("?", [("?", "!")] * shots)

        ids = self.row_tokens.rendered(render, empty, shots, add_special_tokens=not self.chat)
        eos = self.tokenizer.eos_token_id
        return ids[:-1] if not self.chat and ids and ids[-1] == eos else ids


def training_examples(prompter: Prompter, rows: Iterable[Mapping[str, Any]]) -> list[Encoded]:
    """Return rows of ``prompt`` and ``references`` as tokens; the answer to learn is the first reference.

    A row whose answer leaves no room for any of its prompt is left out; the caller counts them.
    """
    fitting = [row for row in rows if prompter.fits(row["references"][0])]
    return [
        replace(prompter.encode(row["prompt"], row["references"][0]), group=row.get("group", "")) for row in fitting
    ]
