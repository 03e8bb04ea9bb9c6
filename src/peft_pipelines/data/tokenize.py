"""Prompt and answer to token ids and labels, and back. Training and generation both use it.

A chat model gets the prompt in the user's turn, by its own template; a base model gets it as plain text and a line
break. The loss covers the answer and the end of the turn, nothing else.

Shots, the examples with their answers before a prompt, read as examples do in training, each with the instruction and
an end: earlier turns of user and assistant, or text up to the end-of-text token. So they show where an answer ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from transformers import PreTrainedTokenizerBase

from peft_pipelines.config.errors import ConfigError

FIXED_DATE = date(2024, 7, 26).strftime("%d %b %Y")
"""Some templates print today's date; a benchmark's prompts must not change overnight."""

IGNORED = -100
"""The label of a position without loss, as torch's cross entropy has it."""

ANSWER = "the answer's place"
"""Stands for an answer when a template is asked what it puts behind one."""

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
    """

    prompt: list[int]
    answer: list[int]
    truncated: bool
    shots: int = 0
    task: int = 0

    @property
    def ids(self) -> list[int]:
        """The tokens of prompt and answer."""
        return self.prompt + self.answer

    @property
    def labels(self) -> list[int]:
        """The labels of ``ids``: ``IGNORED`` at the prompt, the answer's tokens at the answer."""
        return [IGNORED] * len(self.prompt) + self.answer


@dataclass(frozen=True)
class Prompter:
    """The format of one model's prompts and answers, by its chat template or as plain text.

    ``max_length`` is the most tokens of prompt and answer.

    >>> chat = Prompter(tokenizer, chat=True, max_length=512)      # doctest: +SKIP
    >>> chat.render("Is it good?")                                 # doctest: +SKIP
    '<|im_start|>user\\nIs it good?<|im_end|>\\n<|im_start|>assistant\\n'
    """

    tokenizer: PreTrainedTokenizerBase
    chat: bool
    max_length: int

    def render(self, prompt: str, shots: Sequence[Shot] = ()) -> str:
        """Return the text before the answer, shots included."""
        if not self.chat:
            end = self.tokenizer.eos_token
            return "".join(f"{earlier}\n{answer}{end}" for earlier, answer in shots) + f"{prompt}\n"
        turns = [turn for earlier, answer in shots for turn in (("user", earlier), ("assistant", answer))]
        roles = [{"role": role, "content": text} for role, text in [*turns, ("user", prompt)]]
        return self._template(roles, add_generation_prompt=True)

    def end_of_turn(self) -> list[int]:
        """Return the tokens that end an answer: those that the template puts behind it, up to the first special token.

        Raises:
            ConfigError: the template closes a turn by no special token, or there is no end-of-text token.
        """
        added = self.tokenizer.added_tokens_decoder
        special = {*self.tokenizer.all_special_ids, *(number for number, token in added.items() if token.special)}
        if not self.chat:
            behind = [self.tokenizer.eos_token_id]
        else:
            turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ANSWER}]
            text = self._template(turns, add_generation_prompt=False)
            behind = self._tokens(text.rpartition(ANSWER)[2])
        stop = next((place for place, token in enumerate(behind) if token in special), None)
        if stop is None:
            raise ConfigError(f"tokenizer '{self.tokenizer.name_or_path}': no special token ends an answer")
        return behind[: stop + 1]

    def encode(self, prompt: str, answer: str | None = None, room: int = 0, shots: Sequence[Shot] = ()) -> Encoded:
        """Return an example's tokens; too long a prompt loses its middle, since it often ends with the question.

        The answer and the template are never cut. Of shots that do not fit the last are left out.

        Args:
            prompt: instruction and input.
            answer: the reference, for training; None for generation.
            room: tokens to leave free for the generated answer.
            shots: examples to put before it, with their answers.

        Raises:
            ConfigError: the answer alone does not fit.
        """
        tail = self.encode_answer(answer) if answer is not None else []
        limit = self.max_length - len(tail) - room
        for used in range(len(shots), 0, -1):
            head = self._prompt(prompt, shots[:used])
            if len(head) <= limit:
                return Encoded(head, tail, False, used)
        head = self._prompt(prompt)
        excess = len(head) - limit
        truncated = excess > 0
        while len(head) > limit:
            shorter = self._without_middle(prompt, excess)
            if not shorter:
                raise ConfigError(
                    f"max_length {self.max_length}: no room for the prompt beside {len(tail) + room} answer tokens"
                )
            head = self._prompt(shorter)
            excess += max(1, len(head) - limit)
        return Encoded(head, tail, truncated)

    def encode_answer(self, text: str) -> list[int]:
        """Return the tokens of an answer, with the end of the turn."""
        return self._tokens(text) + self._end

    def fits(self, answer: str) -> bool:
        """Whether an answer leaves room for any of its prompt."""
        return self._frame + len(self._tokens(answer)) < self.max_length

    def decode(self, tokens: Sequence[int], stop: Sequence[int]) -> str:
        """Return the text of generated tokens, up to the end of the turn."""
        end = next((place for place, token in enumerate(tokens) if token in stop), len(tokens))
        text: str = self.tokenizer.decode(tokens[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def _end(self) -> list[int]:
        return self.end_of_turn()

    @cached_property
    def _frame(self) -> int:
        """Tokens of an example with an empty prompt and an empty answer."""
        return len(self._prompt("")) + len(self._end)

    def _prompt(self, prompt: str, shots: Sequence[Shot] = ()) -> list[int]:
        text = self.render(prompt, shots)
        ids: list[int] = self.tokenizer(text, add_special_tokens=not self.chat)["input_ids"]
        eos = self.tokenizer.eos_token_id
        return ids[:-1] if not self.chat and ids and ids[-1] == eos else ids

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _without_middle(self, text: str, tokens: int) -> str:
        spans = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        kept = len(spans) - tokens
        if kept <= 0:
            return ""
        first, last = (kept + 1) // 2, kept // 2
        # a character of several tokens has one span for each of them: begin behind it, not in it
        end = next((start for start, _ in spans[len(spans) - last :] if start >= spans[len(spans) - last - 1][1]), None)
        return text[: spans[first][0]] + (text[end:] if last and end is not None else "")

    def _template(self, turns: list[dict[str, str]], *, add_generation_prompt: bool) -> str:
        text: str = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt, date_string=FIXED_DATE
        )
        return text


def training_examples(prompter: Prompter, rows: Iterable[Mapping[str, Any]]) -> list[Encoded]:
    """Return rows of ``prompt`` and ``references`` as tokens; the answer to learn is the first reference.

    A row whose answer leaves no room for any of its prompt is left out; the caller counts them.
    """
    fitting = [row for row in rows if prompter.fits(row["references"][0])]
    return [prompter.encode(row["prompt"], row["references"][0]) for row in fitting]


def count_truncated(rows: Iterable[Encoded]) -> int:
    """Count the examples that lost text."""
    return sum(row.truncated for row in rows)
