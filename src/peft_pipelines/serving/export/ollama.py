"""Ollama's Modelfile beside a GGUF file: where the weights are, the prompt format, where an answer ends.

Ollama renders prompts by Go templates. Here one is made of what the model's own chat template puts around each turn,
and it must give the same text for conversations of several shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from jinja2.exceptions import TemplateError

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.chat_template import ChatTemplate, Turns
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.serving.export.finished import Finished
from peft_pipelines.serving.export.gguf_tokens import adds_bos

MODELFILE: Final = "Modelfile"
_S, _Q, _A = "the system's words", "the question's words", "the answer's words"
_QUOTES: Final = '"""'
_SHAPES: Final = ("u", "uau", "su", "suau")
"""Conversations that both templates must render alike: the roles of their turns."""
_ROLES: Final = {"s": "system", "u": "user", "a": "assistant"}


@dataclass(frozen=True)
class Pieces:
    """What a chat template puts around the texts of turns.

    Attributes:
        start: what stands first where there is no system turn.
        system: before and behind a system turn, with what stands first; None where the template takes none.
        user: before and behind a user's turn.
        assistant: before and behind an answer.
        prompt: what an answer begins behind.
    """

    start: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    assistant: tuple[str, str]
    prompt: str

    def filled(self, turns: Turns) -> str:
        """Return the text of turns up to where an answer begins, as the Go template gives it."""
        around = {"system": self.system or ("", ""), "user": self.user, "assistant": self.assistant}
        start = "" if turns[0]["role"] == "system" else self.start
        texts = (turn["content"].join(around[turn["role"]]) for turn in turns)
        return f"{start}{''.join(texts)}{self.prompt}"

    def go(self) -> str:
        """Return the Go template."""
        system = ""
        if self.system:
            system = f"{{{{ if .System }}}}{_go(self.system[0])}{{{{ .System }}}}{_go(self.system[1])}{{{{ else }}}}"
        first = f"{system}{_go(self.start)}{'{{ end }}' if system else ''}"
        user, assistant = (f"{_go(before)}{{{{ .Content }}}}{_go(behind)}" for before, behind in self.turns)
        return (
            f'{first}{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}{user}'
            f'{{{{ else if eq .Role "assistant" }}}}{assistant}{{{{ end }}}}{{{{ end }}}}{_go(self.prompt)}'
        )

    @property
    def turns(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """What stands around the user's and the assistant's turns."""
        return self.user, self.assistant


def _go(text: str) -> str:
    """A text as a Go template says it."""
    return text.replace("{{", '{{ "{{" }}')


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def pieces_of(template: ChatTemplate, bos: str = "") -> Pieces:
    """Return what a chat template is made of.

    Args:
        template: a model's template.
        bos: the first token's text where the tokenizer puts it before each text, so that the template must not.

    Raises:
        ConfigError: it is not made of turns with the same text around each.
    """
    question, answer = _turn("user", _Q), _turn("assistant", _A)
    alone = template.render([question], add_generation_prompt=False)
    answered = template.render([question, answer, question], add_generation_prompt=False)
    behind_answer = template.render([question, answer], add_generation_prompt=False).rpartition(_A)[2]
    first, between, last = answered.split(_Q)[0], *_parted(answered)
    user = last.removeprefix(behind_answer), alone.rpartition(_Q)[2]
    assistant = between.removeprefix(user[1]), behind_answer
    prompt = template.render([question], add_generation_prompt=True).removeprefix(alone)
    start = first.removesuffix(user[0]).removeprefix(bos)
    try:
        before, _, rest = template.render([_turn("system", _S), question], add_generation_prompt=False).partition(_S)
        system = before.removeprefix(bos), rest.partition(_Q)[0].removesuffix(user[0])
    except TemplateError:
        found = Pieces(start, None, user, assistant, prompt)
    else:
        found = Pieces(start, system, user, assistant, prompt)
    _check(found, template, bos)
    return found


def _parted(text: str) -> tuple[str, str]:
    """What stands between a question and its answer, and between the answer and the next question."""
    between, _, rest = text.partition(_Q)[2].partition(_A)
    return between, rest.partition(_Q)[0]


def _check(pieces: Pieces, template: ChatTemplate, bos: str) -> None:
    texts = ("Is it?", "One line.\n\nAnother: {{ x }}")
    for shape, (first, second) in product(_SHAPES, product(texts, repeat=2)):
        if pieces.system is None and shape.startswith("s"):
            continue
        turns = [_turn(_ROLES[role], (first, second)[place % 2]) for place, role in enumerate(shape)]
        if f"{bos}{pieces.filled(turns)}" != template.render(turns, add_generation_prompt=True):
            raise ConfigError("its chat template is not made of turns with the same text around each")
    if any(_QUOTES in text for text in (pieces.go(), pieces.start)):
        raise ConfigError(f"its chat template holds {_QUOTES}, which ends a text in a Modelfile")


def modelfile(cell: Finished, weights: str) -> str:
    """Return the Modelfile of a cell.

    Args:
        cell: the cell.
        weights: the name of the GGUF file beside it.

    Raises:
        ConfigError: the model's chat template cannot be said as a Go template.
    """
    recorded, tokenizer = cell.recorded, cell.base.tokenizer
    prompter = Prompter.of(recorded.model, tokenizer, recorded.training_args.max_length)
    bos = str(tokenizer.bos_token) if adds_bos(tokenizer) else ""
    template = pieces_of(prompter.template, bos).go() if prompter.chat else "{{ .Prompt }}\n"
    lines = [
        f"# {recorded.cell.id}: {_one_line(recorded.method.type)} on {_one_line(cell.base_name)}",
        f"# It was trained on prompts of this form: {_one_line(recorded.task.prompt(recorded.task.input))}",
        f"FROM ./{weights}",
        f"TEMPLATE {_QUOTES}{template}{_QUOTES}",
        "# Greedy, as the answers that were scored.",
        "PARAMETER temperature 0",
        *(f'PARAMETER stop "{text}"' for text in stops(prompter, tokenizer)),
    ]
    return "\n".join(lines) + "\n"


def stops(prompter: Prompter, tokenizer: Any) -> Sequence[str]:
    """Return the texts of the tokens that end an answer.

    Raises:
        ConfigError: one holds a quote, which ends a text in a Modelfile.
    """
    ends = [tokenizer.decode([prompter.end_of_turn()[-1]]), tokenizer.eos_token]
    found = list(dict.fromkeys(text for text in ends if text))
    if any('"' in text for text in found):
        raise ConfigError(f"a token that ends an answer holds a quote, which ends a text in a Modelfile: {found}")
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
