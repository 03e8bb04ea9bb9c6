"""A task's row: its data, the prompt, the right answers and the metrics."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pydantic import Field, model_validator

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.label_continuations import ContinuationSpec
from peft_pipelines.config.label_words import Labels, differ_without_case
from peft_pipelines.config.spec import Count, Spec, Text, Texts, Tokens, distinct
from peft_pipelines.config.split_names import HubSource, Splits
from peft_pipelines.config.template import Template, template_fields
from peft_pipelines.config.training import TrainingSpec


class KnownMetric(Protocol):
    """A metric as far as a task's row is checked against it."""

    @property
    def primary(self) -> bool:
        """Whether it may stand for a task."""

    @property
    def reads_continuations(self) -> bool:
        """Whether it compares the likeliest continuation, not what was written."""

    def misfit(self, labels: Sequence[str], question: bool, composed: bool, continuations: bool) -> str:
        """Why a row cannot name it, empty where it can.

        Args:
            labels: the row's label words.
            question: whether it has questions.
            composed: whether its right answers hold more than the value of one column.
            continuations: whether it has continuations.
        """


_BETWEEN = "\n\n"


class TaskSpec(Spec):
    """A data set as a task: its splits, the prompt, the right answers and the metrics.

    The answer is exactly one of: ``label`` (a raw column whose values ``labels`` turns into words), ``target``
    (a template) and ``references`` (a raw column with a list of right answers). Without ``source`` the raw examples
    must be on disk. ``max_length`` (tokens of prompt and answer) replaces that of the training arguments.

    ``gold``, beside ``target``, is a template for the right answer as metrics compare with it, where the one that is
    learnt is a shorter form of it, such as a rounded number.

    ``group`` and ``question`` are templates: examples that give the same text belong together. Examples of a ``group``,
    such as a passage, all stay on one side of a split, and are resampled together for intervals; examples of a
    ``question`` are drawn together, and scored together by the metrics over questions.

    ``tests`` is a raw column with test cases as JSON (evaluation/metrics/pass_rate.py): where execution is switched
    on, the answers to the test split are run on them.

    ``ignore_case`` accepts a label word in any case.

    ``continuations`` has the labels scored as continuations of a context too, for the metrics that compare these.
    """

    name: str = ""
    type: Text
    source: HubSource | None = None
    splits: Splits
    instruction: Text
    preprocess: Text | None = None
    input: Template
    label: Text | None = None
    labels: Labels | None = None
    ignore_case: bool = False
    target: Template | None = None
    gold: Template | None = None
    references: Text | None = None
    group: Template | None = None
    question: Template | None = None
    tests: Text | None = None
    continuations: ContinuationSpec | None = None
    metrics: Texts = Field(min_length=1)
    max_new_tokens: Count
    max_length: Tokens | None = None
    licence: Text
    citation: Text
    notes: str = ""

    @property
    def label_words(self) -> tuple[str, ...]:
        """The words of the labels; empty where the answer is free text."""
        return tuple(self.labels.values()) if self.labels else ()

    @property
    def primary(self) -> str:
        """The metric that stands for the task in the table: the first one named."""
        return self.metrics[0]

    @property
    def _composed(self) -> bool:
        """Whether right answers hold more than the value of one column."""
        return bool(self.target) and [f"{{{field}}}" for field in template_fields(self.target or "")] != [self.target]

    @property
    def identity(self) -> object:
        """What decides the examples and their scores: two rows with equal ones are one task.

        Rows without a source read the files of their own names, so that they are never the same.
        """
        told = {"type", "licence", "citation", "notes"}
        return self.model_dump(exclude=told | ({"name"} if self.source else set()))

    def limit(self, training_args: TrainingSpec) -> int:
        """Return the largest number of tokens of prompt and answer together."""
        return self.max_length or training_args.max_length

    def prompt(self, text: str) -> str:
        """The instruction with an input behind it."""
        return self.instruction + _BETWEEN + text

    def input_of(self, prompt: str) -> str:
        """The input of a prompt that ``prompt`` made."""
        return prompt.removeprefix(self.instruction + _BETWEEN)

    def columns(self) -> tuple[str, ...]:
        """The columns that the templates name, after ``preprocess``."""
        templates = [text for text in (self.input, self.target, self.gold, self.group, self.question) if text]
        direct = [column for column in (self.label, self.references) if column]
        continued = self.continuations.columns() if self.continuations else ()
        return tuple(
            dict.fromkeys([*(field for text in templates for field in template_fields(text)), *direct, *continued])
        )

    @model_validator(mode="after")
    def _consistent(self) -> "TaskSpec":
        answers = [name for name in ("label", "target", "references") if getattr(self, name)]
        if len(answers) != 1:
            raise ValueError(f"exactly one of label, target and references is needed, got {answers or 'none'}")
        if bool(self.label) != bool(self.labels):
            raise ValueError("label and labels go together")
        if self.ignore_case and not (self.labels and differ_without_case(self.label_words)):
            raise ValueError(f"ignore_case needs labels that differ in more than case, got {list(self.label_words)}")
        if self.gold and not self.target:
            raise ValueError("gold needs target: other answers are compared with what is learnt")
        if self.continuations:
            self.continuations.check(self.label_words)
        if self.source:
            self._check_hub_names(self.source)
        if self.question and not self.group:
            raise ValueError("question needs group: rows of a question must not stand on both sides of a cut")
        return self

    def _check_hub_names(self, source: HubSource) -> None:
        for name in source.splits:
            if name not in self.splits.names:
                raise unknown("source.splits", "split", name, self.splits.names)
        distinct(tuple(source.splits.get(name, name) for name in self.splits.names))

    def check(self, functions: Collection[str], metrics: Mapping[str, KnownMetric]) -> None:
        """Check the names of code that the row gives.

        Args:
            functions: the functions that ``preprocess`` may name.
            metrics: all metrics there are, by name.

        Raises:
            ConfigError: a name is unknown, a metric does not fit the row, the first one may not stand for a task, or
                none reads the row's continuations.
        """
        where = f"task '{self.name}'"
        if self.preprocess and self.preprocess not in functions:
            raise unknown(f"{where}, preprocess", "function", self.preprocess, functions)
        fitting = {name: found for name, found in metrics.items() if not self._misfit(found)}
        for name in self.metrics:
            if name not in metrics:
                raise unknown(f"{where}, metrics", "metric", name, metrics)
            if name not in fitting:
                raise _refused(f"{where}, metrics: '{name}' {self._misfit(metrics[name])}", fitting)
        if not metrics[self.primary].primary:
            allowed = [name for name, found in fitting.items() if found.primary]
            raise _refused(f"{where}, metrics: '{self.primary}' is a diagnostic and cannot come first", allowed)
        if self.continuations and not any(metrics[name].reads_continuations for name in self.metrics):
            allowed = [name for name, found in fitting.items() if found.reads_continuations]
            raise _refused(f"{where}, metrics: none reads the row's continuations", allowed)

    def _misfit(self, metric: KnownMetric) -> str:
        return metric.misfit(self.label_words, bool(self.question), self._composed, self.continuations is not None)


def _refused(reason: str, allowed: Collection[str]) -> ConfigError:
    return ConfigError(f"{reason}. Allowed: {', '.join(allowed)}")
