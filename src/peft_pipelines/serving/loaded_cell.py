"""A cell that answers: its checkpoint on a resident base model, by the prompter and the limits of its scoring.

>>> cell = load_cell(catalog, "lora.smollm2_135m.sst2.s0")                 # doctest: +SKIP
>>> cell.predict([{"sentence": "a great film"}])[0]["prediction"]          # doctest: +SKIP
'positive'
>>> print(*cell.stream([{"role": "user", "content": "Who are you?"}]))     # doctest: +SKIP
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from peft_pipelines.config import fill
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.conversation import Conversations, Message
from peft_pipelines.data.unanswered import Row, examples, input_columns, row_of_text
from peft_pipelines.inference.answerer import Answerer
from peft_pipelines.models.positions import positions
from peft_pipelines.serving.answer import Answer
from peft_pipelines.serving.probabilities import probabilities
from peft_pipelines.serving.recorded_cell import RecordedCell
from peft_pipelines.serving.sampler import Sampler
from peft_pipelines.serving.sampling_options import Sampling

ANSWER_TOKENS = 256
"""The most tokens of an answer in a conversation, unless it is told otherwise."""


@dataclass
class LoadedCell:
    """A cell, ready to answer. Cells of one base model share its weights; each may be asked by one thread at a time.

    Attributes:
        recorded: names, rows, run and checkpoint.
        answerer: the method on its clone of the base.
        closed: whether it answers no more.
    """

    recorded: RecordedCell
    answerer: Answerer
    closed: bool = False

    @property
    def id(self) -> str:
        """``METHOD.MODEL.TASK.SEED``."""
        return self.recorded.cell.id

    def predict(self, rows: Sequence[Row | str]) -> list[dict[str, Any]]:
        """Return the greedy answer to each row, as scoring has them: the lines of ``predictions.jsonl``.

        The fields are ``prompt``, ``references`` where the rows hold right answers, ``prediction``, ``new_tokens``,
        ``stopped``, of tasks with labels ``label_scores`` (the log-probability of each label), and what the task's row
        adds. The last bits of likelihoods depend on the rows that are asked together.

        Args:
            rows: raw rows, with or without the columns of the right answer; or texts, where the task's input is made
                of one column without ``preprocess``.

        Raises:
            ConfigError: a column that the task needs is missing, a label is unknown, a text is no row, or the cell is
                closed.
        """
        task = self.recorded.task
        given = [row_of_text(row, task) if isinstance(row, str) else row for row in rows]
        return self.answer(examples(given, task, {column for row in given for column in row}))

    def answer(self, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the lines of a task's prompts, as ``examples`` of unanswered.py makes them, with their answers."""
        self._check_open()
        if not lines:
            return []
        asked = self.answerer.encode(lines)
        with self.answerer.base.untouched(self.recorded.training_args.deterministic):
            return self.answerer.predictions(asked, self.answerer.generate(asked))

    def label_probabilities(self, rows: Sequence[Row | str]) -> list[dict[str, float]]:
        """Return for each row the probability of each label among the labels.

        Raises:
            ConfigError: as for ``predict``, or the task has no labels.
        """
        if not self.recorded.task.labels:
            raise ConfigError(f"task '{self.recorded.task.name}': has no labels, so there are no probabilities of them")
        return [probabilities(row["label_scores"]) for row in self.predict(rows)]

    def prompt(self, text: str) -> str:
        """Return a text behind the task's instruction.

        Where the input is made of one column, the text is put into its place; otherwise it is the whole input. The
        task's ``preprocess`` is not applied to it.
        """
        task, columns = self.recorded.task, input_columns(self.recorded.task)
        return task.prompt(fill(task.input, {columns[0]: text}) if len(columns) == 1 else text)

    def stream_answer(self, text: str, max_new_tokens: int | None = None, sampling: Sampling | None = None) -> Answer:
        """Return the answer to ``prompt(text)``, which is made in pieces: asked as in scoring, with shots and limits.

        Args:
            text: the input.
            max_new_tokens: the most tokens of the answer, those of scoring unless given.
            sampling: how tokens are drawn; None for the greedy answer, as in scoring.
        """
        (encoded,) = self.answerer.encode([{"prompt": self.prompt(text)}]).encoded
        return self.stream_tokens(encoded.prompt, max_new_tokens, sampling)

    def stream(
        self,
        messages: Sequence[Message],
        max_new_tokens: int = ANSWER_TOKENS,
        sampling: Sampling | None = None,
    ) -> Answer:
        """Return the answer to a conversation, which is made in pieces; no instruction is put before it.

        Args:
            messages: turns with ``role`` (``system``, ``user`` or ``assistant``) and ``content``; the last is the
                user's.
            max_new_tokens: the most tokens of the answer.
            sampling: how tokens are drawn; None for the greedy answer.

        Raises:
            ConfigError: the turns are no conversation that the model's chat template takes, or too long for the model.
        """
        return self.stream_tokens(self._conversations.encode(messages), max_new_tokens, sampling)

    def stream_tokens(
        self, prompt: Sequence[int], max_new_tokens: int | None = None, sampling: Sampling | None = None
    ) -> Answer:
        """Return the answer to a prompt of tokens; arguments and errors as for ``stream_answer`` and ``stream``."""
        self._check_open()
        if max_new_tokens is None:
            max_new_tokens = self.answerer.decoding.max_new_tokens
        answerer = self.with_room(max_new_tokens, len(prompt)).answerer
        choose = Sampler(sampling, prompt) if sampling else None
        return Answer(answerer, prompt, self.recorded.training_args.deterministic, choose)

    def with_room(self, max_new_tokens: int, prompt_tokens: int) -> "LoadedCell":
        """Return the same with answers of at most so many tokens.

        Raises:
            ConfigError: a prompt of ``prompt_tokens`` with such an answer is too long for the model.
        """
        limit = positions(self.answerer.base.model.config)
        needed = self.answerer.method.virtual_tokens + prompt_tokens + max_new_tokens
        if limit is not None and needed > limit:
            raise ConfigError(
                f"cell '{self.id}': a prompt of {prompt_tokens} tokens with {max_new_tokens} of an answer must fit "
                f"into the model's {limit} positions"
            )
        return replace(self, answerer=self.answerer.with_room(max_new_tokens))

    def seen(self, prompt: Sequence[int]) -> str:
        """Return a prompt of tokens as the model sees it, with all special tokens; a soft prompt is not text."""
        text: str = self.answerer.base.tokenizer.decode(list(prompt), clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def _conversations(self) -> Conversations:
        return Conversations(self.answerer.prompter)

    def close(self) -> None:
        """Drop the clone; the base stays resident for other cells. Nothing happens to a cell that is closed already."""
        self.closed = True
        self.answerer.attached.detach()

    def _check_open(self) -> None:
        if self.closed:
            raise ConfigError(f"cell '{self.id}': is closed and answers no more; load it again")
