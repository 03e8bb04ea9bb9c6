"""A task's row: its data, the prompt, the right answers and the metrics."""

from collections.abc import Collection, Mapping

from pydantic import Field, model_validator

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.known_metric import KnownMetric
from peft_pipelines.config.label_continuations import ContinuationSpec
from peft_pipelines.config.label_words import Labels, differ_without_case
from peft_pipelines.config.own_rows import RawPath
from peft_pipelines.config.spec import Count, Notes, RowName, Spec, Text, Texts, Tokens, distinct
from peft_pipelines.config.split_names import HubSource, Splits
from peft_pipelines.config.template import Template, template_fields
from peft_pipelines.config.training import TrainingSpec

_BETWEEN = "\n\n"


class TaskSpec(Spec):
    """A data set as a task: its splits, the prompt, the right answers and the metrics."""

    name: RowName = ""
    type: Text = Field(description="The kind of task in two or three words, for readers.")
    source: HubSource | None = Field(
        default=None,
        description="The data set of the hub that the raw examples come from. Without it they must be on disk.",
    )
    raw: RawPath | None = Field(
        default=None, description="The raw examples' folder or file, from the project's folder; or the catalog's."
    )
    splits: Splits = Field(description="Which raw splits are trained on, validated with and scored.")
    instruction: Text = Field(description="The text before each input, two line breaks between them.")
    preprocess: Text | None = Field(
        default=None,
        description="A function of data/preprocess.py that adds a column which no template can make; null for none.",
    )
    input: Template = Field(description="The template of a question: {column} stands for the value of a column.")
    label: Text | None = Field(
        default=None,
        description="The raw column whose value is the right answer, by labels; or target or references are given.",
    )
    labels: Labels | None = Field(
        default=None,
        description="The word that must be answered for each value of the label column. At least two, and different.",
    )
    ignore_case: bool = Field(default=False, description="Whether a label word is right in any case.")
    target: Template | None = Field(
        default=None,
        description="The template of the right answer where it is free text, in place of label or references.",
    )
    gold: Template | None = Field(
        default=None,
        description=(
            "A template for the right answer that metrics compare with, where the one that is learnt (target) is a "
            "shorter form of it, such as a rounded number."
        ),
    )
    references: Text | None = Field(
        default=None,
        description="The raw column with a list of right answers, in place of label or target; the first is learnt.",
    )
    group: Template | None = Field(
        default=None,
        description=(
            "A template: examples that give the same text, such as those of a passage, stay on one side of a split, "
            "and are resampled together for intervals."
        ),
    )
    question: Template | None = Field(
        default=None,
        description=(
            "A template for a smaller unit inside a group: its examples are drawn together, and scored together by the "
            "metrics over questions. Needs group."
        ),
    )
    tests: Text | None = Field(
        default=None,
        description="The raw column with test cases as JSON, on which answers are run where execution is switched on.",
    )
    continuations: ContinuationSpec | None = Field(
        default=None,
        description="Has the labels scored as continuations of a context too, for the metrics that compare these.",
    )
    metrics: Texts = Field(
        min_length=1,
        description="The metrics, the first of which stands for the task in tables. `kedro metrics` lists them.",
    )
    max_new_tokens: Count = Field(description="The most tokens of an answer.")
    max_length: Tokens | None = Field(
        default=None,
        description="The most tokens of prompt and answer together, from 16; null for the training arguments' own.",
    )
    licence: Text = Field(description="The licence of the data, as the record of a run repeats it.")
    citation: Text = Field(description="The work to cite for the data.")
    notes: Notes = ""

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

        Rows without a source or a place read the files of their own names, so that they are never the same.
        """
        told = {"type", "licence", "citation", "notes"}
        return self.model_dump(exclude=told | ({"name"} if self.source or self.raw else set()))

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
