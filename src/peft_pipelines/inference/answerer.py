"""A method on its base, ready to answer examples of a task: one path for answers that are scored and for all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from peft_pipelines.config import MethodSpec, TaskSpec, TrainingSpec
from peft_pipelines.data.continuations import Continuations, Continued
from peft_pipelines.data.encoded import Encoded, Shot
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.inference.budget import answer_tokens
from peft_pipelines.inference.choice_logprobs import logprob_fields
from peft_pipelines.inference.decoding import Decoding, attention_of
from peft_pipelines.inference.generate import Generation, generate_and_score, prediction_fields
from peft_pipelines.inference.loglikelihood import answers_to_score
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model
from peft_pipelines.models.base_model import Base
from peft_pipelines.models.positions import positions
from peft_pipelines.models.sizes import sized

Example = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """Examples as tokens.

    Attributes:
        rows: the examples: ``prompt``, and ``references`` where the right answers are known.
        encoded: their prompts.
        given: of each the answers whose likelihood is wanted.
        continued: contexts and continuations, empty where the task's row has none.
    """

    rows: Sequence[Example]
    encoded: list[Encoded]
    given: list[list[list[int]]]
    continued: list[Continued]

    @property
    def prompts(self) -> list[list[int]]:
        """The tokens of each prompt."""
        return [row.prompt for row in self.encoded]


@dataclass(frozen=True)
class Answerer:
    """A method on a clone of its base, with all that decides its answers.

    Attributes:
        base: the base model, whose weights the clone shares.
        attached: the method, loaded from its checkpoint.
        method: its row.
        task: the task's row.
        prompter: formats and tokenizes prompts within the limits of the task's row.
        decoding: the options of generation.
        shots: the examples that stand answered before each prompt, if any.
    """

    base: Base
    attached: Attached
    method: MethodSpec
    task: TaskSpec
    prompter: Prompter
    decoding: Decoding
    shots: Sequence[Shot] = ()

    @classmethod
    def of(
        cls,
        base: Base,
        method: MethodSpec,
        training_args: TrainingSpec,
        task: TaskSpec,
        checkpoint: Path,
        shots: Sequence[Shot] = (),
    ) -> "Answerer":
        """Load a checkpoint's folder on a clone of the base; ``training_args`` are those of the method.

        Of a method with a part for each of several tasks, the task's part is chosen.
        """
        prompter = Prompter.of(base.spec, base.tokenizer, task.limit(training_args))
        most = answer_tokens(task, method, prompter.max_length, positions(base.model.config))
        stop = tuple(prompter.end_of_turn()[-1:])
        attached = providers.load(base_model.clone(base.model), method, checkpoint)
        training_args = sized(training_args, attached, prompter.max_length + most)
        decoding = Decoding.of(training_args, most, stop, int(base.tokenizer.pad_token_id))
        if attached.select and method.train_on:
            attached.select(method.train_on.index(task.name))
        return cls(base, attached, method, task, prompter, decoding, shots)

    def encode(self, rows: Sequence[Example]) -> Asked:
        """Return examples as tokens. A prompt that is too long loses its middle; shots that do not fit are left out."""
        room = self.task.max_new_tokens
        encoded = [self.prompter.encode(row["prompt"], room=room, shots=self.shots) for row in rows]
        given = [answers_to_score(row, self.task, self.prompter) for row in rows]
        return Asked(rows, encoded, given, self._continued(rows))

    def _continued(self, rows: Sequence[Example]) -> list[Continued]:
        if not self.task.continuations:
            return []
        limit = positions(self.base.model.config)
        most = None if limit is None else limit - self.method.virtual_tokens
        continuations = Continuations(self.prompter, self.task.continuations, self.task.max_new_tokens, most)
        return [continuations.encode(row, self.shots) for row in rows]

    def attention(self, asked: Asked) -> str:
        """Return the name of the attention that examples run by; asked for the first time, it may try a kernel."""
        return attention_of(self.attached, asked.prompts, self.decoding, asked.given)

    def generate(self, asked: Asked) -> list[Generation]:
        """Return each example's answer as tokens, and the likelihoods of its given answers."""
        return generate_and_score(self.attached, asked.prompts, self.decoding, asked.given)

    def predictions(self, asked: Asked, generations: Sequence[Generation]) -> list[dict[str, Any]]:
        """Return the examples with their answers: the lines of ``predictions.jsonl``.

        The likelihoods of continuations, where the task's row has some, are computed here.
        """
        continued = logprob_fields(self.attached, asked.continued, self.decoding, len(asked.rows))
        stop = self.decoding.stop
        return [
            {
                **row,
                "prediction": self.prompter.decode(each.tokens, stop),
                **prediction_fields(each, stop, self.task),
                **logprobs,
            }
            for row, each, logprobs in zip(asked.rows, generations, continued, strict=True)
        ]

    def with_room(self, tokens: int) -> "Answerer":
        """Return the same with answers of at most so many tokens."""
        return replace(self, decoding=replace(self.decoding, max_new_tokens=tokens))
