"""A conversation of several turns as tokens, up to where the next answer begins."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from jinja2.exceptions import TemplateError

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.data.plain_text import RowTokens
from peft_pipelines.data.tokenize import Prompter

ROLES: Final = ("system", "user", "assistant")
Message = Mapping[str, str]
"""A turn: ``role``, one of ``ROLES``, and ``content``, its text."""


class Conversations:
    """Conversations for one model. Text that reads like a control token stays text, as in prompts.

    Args:
        prompter: the format of the model's prompts.
    """

    def __init__(self, prompter: Prompter) -> None:
        self._prompter = prompter
        self._tokens = RowTokens(prompter.tokenizer, prompter.template.text if prompter.chat else "")
        self._shapes: dict[tuple[str, ...], int] = {}

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a conversation whose last turn is the user's.

        A model without a chat template gets the turns of user and assistant as text, as it gets shots.

        Raises:
            ConfigError: there is no turn, a role is unknown or out of its place, or the chat template refuses them.
        """
        _check(messages, chat=self._prompter.chat)
        roles = tuple(message["role"] for message in messages)
        number = self._shapes.setdefault(roles, len(self._shapes))

        def render(mask: Callable[[str], str]) -> str:
            return self._render(roles, [mask(message["content"]) for message in messages])

        def empty() -> str:
            return self._render(roles, ["?" for _ in roles])

        try:
            ids = self._tokens.rendered(render, empty, number, add_special_tokens=not self._prompter.chat)
        except TemplateError as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"messages: the model's chat template refuses them: {reason:.200}") from None
        eos = self._prompter.tokenizer.eos_token_id
        return ids[:-1] if not self._prompter.chat and ids and ids[-1] == eos else ids

    def _render(self, roles: Sequence[str], contents: Sequence[str]) -> str:
        if self._prompter.chat:
            turns = [{"role": role, "content": text} for role, text in zip(roles, contents, strict=True)]
            return self._prompter.template.render(turns, add_generation_prompt=True)
        earlier = list(zip(contents[:-1:2], contents[1::2], strict=True))
        return self._prompter.render(contents[-1], earlier)


def _check(messages: Sequence[Message], *, chat: bool) -> None:
    """Refuse what is no conversation: an optional system turn, then user and assistant by turns, the user last."""
    if not messages:
        raise ConfigError("messages: must hold at least one turn, got none")
    roles = [message["role"] for message in messages]
    for number, role in enumerate(roles, 1):
        if role not in ROLES:
            raise unknown(f"messages, turn {number}", "role", role, ROLES)
    if roles[0] == "system" and not chat:
        raise ConfigError("messages, turn 1: a model without a chat template takes no system turn")
    turns = roles[1:] if roles[0] == "system" else roles
    expected = [("user", "assistant")[place % 2] for place in range(len(turns))]
    if turns != expected or not turns or turns[-1] != "user":
        raise ConfigError(f"messages: user and assistant must take turns, the user first and last, got {roles}")
