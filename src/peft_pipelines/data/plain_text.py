"""Texts of rows that hold the text of a control token: it is tokenised as text, and never becomes the token.

A tokenizer turns ``<|im_end|>`` into one token wherever it stands, so a row could close its turn and answer itself.
Here a copy of the tokenizer knows the control tokens by secret names alone. The template's own are renamed before the
text is tokenised; those in a row's text are left as they are. All else, the merges at the borders too, is the same.
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tokenizers import Encoding, Tokenizer

from peft_pipelines.config.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def control_tokens(tokenizer: "PreTrainedTokenizerBase", template: str) -> dict[int, str]:
    """Return the tokens that steer the model, id to text: the special ones, and those that its template writes."""
    added = {number: token for number, token in tokenizer.added_tokens_decoder.items() if token.content.strip()}
    written = {n: token.content for n, token in added.items() if len(token.content) > 1 and token.content in template}
    special = {number: token.content for number, token in added.items() if token.special}
    return {**written, **{n: tokenizer.convert_ids_to_tokens(n) for n in tokenizer.all_special_ids}, **special}


class _Copy:
    """A tokenizer's copy that takes no row's text for a control token.

    Args:
        tokenizer: the fast tokenizer.
        control: the control tokens, id to text.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", control: dict[int, str]) -> None:
        secret = secrets.token_hex(8)
        longest_first = sorted(control.items(), key=lambda item: -len(item[1]))
        self._names = {text: f"\ue000{secret}{number:x}\ue001" for number, text in longest_first}
        self._masks = {text: f"\ue002{secret}{number:x}\ue003" for number, text in longest_first}
        self._backend = Tokenizer.from_str(json.dumps(self._renamed(json.loads(tokenizer.backend_tokenizer.to_str()))))
        self._backend.no_truncation()
        self._backend.no_padding()
        lost = [text for number, text in control.items() if self._backend.token_to_id(self._names[text]) != number]
        if lost:
            raise ConfigError(f"tokenizer '{tokenizer.name_or_path}': text like '{lost[0]}' cannot be read as text")

    def _renamed(self, backend: dict[str, Any]) -> dict[str, Any]:
        for token in backend["added_tokens"]:
            if token["content"] in self._names:
                token |= {"content": self._names[token["content"]], "normalized": False}
        model = backend["model"]
        if isinstance(model["vocab"], dict):
            model["vocab"] = {self._names.get(text, text): number for text, number in model["vocab"].items()}
        else:
            model["vocab"] = [[self._names.get(text, text), score] for text, score in model["vocab"]]
        if model.get("unk_token") in self._names:
            model["unk_token"] = self._names[model["unk_token"]]
        return backend

    def masked(self, text: str) -> str:
        """Return a row's text in which no control token can be read, to be rendered among the template's own."""
        for control, mask in self._masks.items():
            text = text.replace(control, mask)
        return text

    def encode(self, text: str, *, add_special_tokens: bool) -> Encoding:
        """Return the tokens of a text: of control tokens where they stand bare, of text where they are masked."""
        for control, name in self._names.items():
            text = text.replace(control, name)
        for control, mask in self._masks.items():
            text = text.replace(mask, control)
        return self._backend.encode(text, add_special_tokens=add_special_tokens)


class RowTokens:
    """The tokens of rows' texts, by themselves and in a rendered text.

    Args:
        tokenizer: the fast tokenizer.
        template: the chat template, empty where the model has none; what it writes can be a control token.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", template: str) -> None:
        self._tokenizer = tokenizer
        self.control = control_tokens(tokenizer, template)
        added = tokenizer.added_tokens_decoder
        self.special = {*tokenizer.all_special_ids, *(number for number, token in added.items() if token.special)}
        self._pattern = re.compile("|".join(map(re.escape, self.control.values())) or "(?!)")
        self._expected: dict[int, int] = {}

    @cached_property
    def _copy(self) -> _Copy:
        return _Copy(self._tokenizer, self.control)

    def hold_control(self, text: str) -> bool:
        """Whether the text of a control token stands in a row's text."""
        return self._pattern.search(text) is not None

    def of(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the tokens of a row's text by itself, and where each begins and ends."""
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        if not self._count(found["input_ids"]):
            return found["input_ids"], found["offset_mapping"]
        plain = self._copy.encode(self._copy.masked(text), add_special_tokens=False)
        return plain.ids, plain.offsets

    def rendered(
        self,
        render: Callable[[Callable[[str], str]], str],
        empty: Callable[[], str],
        turns: int,
        *,
        add_special_tokens: bool,
    ) -> list[int]:
        """Return the tokens of texts of a row among those of a template.

        Args:
            render: returns the whole text; it calls its argument for each text of a row.
            empty: returns the whole text of as many turns that hold nothing special.
            turns: the number of turns: by it the control tokens of ``empty`` are remembered.
            add_special_tokens: whether the tokenizer adds its own at both ends.
        """
        if turns not in self._expected:
            self._expected[turns] = self._count(self._ids(empty(), add_special_tokens))
        ids = self._ids(render(lambda text: text), add_special_tokens)
        if self._count(ids) == self._expected[turns]:
            return ids
        return list(self._copy.encode(render(self._copy.masked), add_special_tokens=add_special_tokens).ids)

    def _ids(self, text: str, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=add_special_tokens)["input_ids"]
        return ids

    def _count(self, ids: Sequence[int]) -> int:
        return sum(number in self.control for number in ids)


def without_middle(text: str, spans: Sequence[tuple[int, int]], tokens: int) -> str:
    """Return a text without some tokens of its middle; ``spans`` says where each token begins and ends."""
    kept = len(spans) - tokens
    if kept <= 0:
        return ""
    first, last = (kept + 1) // 2, kept // 2
    # a character of several tokens has one span for each of them: begin behind it, not in it
    end = next((start for start, _ in spans[len(spans) - last :] if start >= spans[len(spans) - last - 1][1]), None)
    return text[: spans[first][0]] + (text[end:] if last and end is not None else "")
