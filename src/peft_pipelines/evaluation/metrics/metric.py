"""A metric as one object: the function, how it is resampled, its direction, its unit and the tasks that it is for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from peft_pipelines.evaluation.metrics.normalize import normalise
from peft_pipelines.evaluation.metrics.unit import PERCENT, Unit

if TYPE_CHECKING:
    from peft_pipelines.evaluation.metrics.multiple_choice import Pick
    from peft_pipelines.evaluation.metrics.weighted.statistic import Statistic

PAIR = 2


class Resampling(StrEnum):
    """Kinds of intervals and tests; the values are their names in tables of metrics."""

    SHARE = "share of items"
    """Each item is right (1) or wrong (0): exact interval and McNemar's test where items are independent."""
    MEAN = "mean over items"
    """Each item has a value of its own: bootstrap of the items' values."""
    WHOLE_SPLIT = "whole split"
    """A number of all items together: bootstrap, through ``weighted`` or by calling the function on each resample."""
    QUESTIONS = "whole questions"
    """The function takes the items' questions as a fourth argument: bootstrap of whole questions."""


class Kind(StrEnum):
    """Kinds of right answers. Which kind of text a task has its row does not say, but for single numbers at times."""

    LABELS = "labels"
    TWO_LABELS = "two labels"
    TEXT = "text"
    NUMBERS = "numbers"
    """Plain numbers and nothing else."""
    SOLUTIONS = "solutions"
    """Texts that state a number."""
    EQUATIONS = "equations"
    CODE = "code"


OF_TEXT = (Kind.TEXT, Kind.NUMBERS, Kind.SOLUTIONS, Kind.EQUATIONS, Kind.CODE)


Labels = Sequence[str]
ItemScore = Callable[[str, Sequence[str], Labels], float]
"""From an answer, its right answers and the task's labels to how good it is, higher is better."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A named number in a cell's scores: its unit and whether more of it is better."""

    name: str
    unit: Unit = PERCENT
    higher_is_better: bool = True

    @property
    def sign(self) -> int:
        """1 where higher is better, else -1: a value times it grows with quality."""
        return 1 if self.higher_is_better else -1

    @property
    def in_points(self) -> bool:
        """True where higher is better and values have an upper bound: only such scores are averaged and discounted."""
        return self.higher_is_better and self.unit.in_percent and self.unit.high is not None

    def better(self, one: float, other: float) -> bool:
        """True where the first of two values is the better one.

        >>> Quantity(name="ece", higher_is_better=False).better(0.1, 0.2)
        True
        """
        return self.sign * one > self.sign * other

    def best(self, values: Sequence[float]) -> float:
        """The best of some values, nan where there are none."""
        return max(values, key=lambda value: self.sign * value, default=float("nan"))


@dataclass(frozen=True)
class Metric(Quantity):
    """A function from the answers of a whole split to a number, and all that tables and tests need to know of it.

    Attributes:
        function: ``(predictions, references, labels) -> dict``: ``references`` holds the right answers of each item,
            ``labels`` the task's words or nothing for free text. The first key is the metric's name. Where
            ``resampling`` is ``QUESTIONS`` a fourth argument names the question of each item.
        resampling: how its interval and tests are made.
        kinds: the kinds of right answers that it is for.
        unit: see ``Quantity``, as ``higher_is_better``.
        counts_invalid: whether it is the share of answers that cannot be read, for the report's warning.
        primary: whether it may stand for a task. A diagnostic that does not look at the right answers may not.
        weighted: the arguments of ``function`` to the metric as a function of the items' weights, which makes
            resampling fast; without it ``function`` is called once a resample.
        slow: whether its resamples, or its values of single items, take seconds a method.
        item_score: how good a single answer is, to show the worst ones, where ``function`` of one item says too little.
        pick: which of an item's continuations is its answer; None where the metric reads what was written.
    """

    name: str = field(init=False, default="")
    function: Callable[..., dict[str, float]]
    resampling: Resampling
    kinds: tuple[Kind, ...]
    primary: bool = True
    counts_invalid: bool = False
    weighted: "Callable[..., Statistic] | None" = field(default=None, repr=False)
    slow: bool = False
    item_score: ItemScore | None = field(default=None, repr=False)
    pick: "Pick | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Take the function's name."""
        object.__setattr__(self, "name", self.function.__name__)

    @property
    def reads_continuations(self) -> bool:
        """True where answers are the continuations that ``pick`` picks."""
        return self.pick is not None

    @property
    def by_item(self) -> bool:
        """True where the metric is the mean of its values of single items."""
        return self.resampling in (Resampling.SHARE, Resampling.MEAN)

    @property
    def cheap(self) -> bool:
        """True where it may stand for a task and is resampled fast: then the page has it beside a task's own metric."""
        return self.primary and not self.slow and (self.by_item or self.weighted is not None)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The kinds of tasks in words; all kinds of text together are one.

        >>> Metric(len, Resampling.SHARE, (Kind.LABELS, *OF_TEXT)).tasks
        ('labels', 'free text')
        """
        if not set(OF_TEXT) <= set(self.kinds):
            return tuple(map(str, self.kinds))
        return (*(str(kind) for kind in self.kinds if kind not in OF_TEXT), "free text")

    def misfit(self, labels: Labels, question: bool, composed: bool, continuations: bool = False) -> str:
        """The reason why a task's row cannot name this metric; empty where it can.

        Args:
            labels: the row's label words, none for free text.
            question: whether the row says which items make a question.
            composed: whether right answers hold more than the value of one column, so that they are no plain numbers.
            continuations: whether the row has labels scored as continuations.

        >>> Metric(len, Resampling.SHARE, (Kind.LABELS,)).misfit([], False, False)
        'is for labels, this task is of free text'
        """
        if self.resampling is Resampling.QUESTIONS and not question:
            return "needs the field question, a template such as '{question}'"
        if set(self.kinds) & set(kinds_of(labels, composed)):
            needs = self.reads_continuations and not continuations
            return "needs the field continuations, such as {texts: ['no', 'yes']}" if needs else ""
        text = "composed text" if composed else "free text"
        return f"is for {' or '.join(self.tasks)}, this task is of {f'{len(labels)} labels' if labels else text}"

    def score_item(self, prediction: str, references: Sequence[str], labels: Labels) -> float:
        """A single answer's score, as lists of the worst answers show it; see ``item_sign`` for its direction."""
        if self.item_score:
            return self.item_score(prediction, references, labels)
        if self.by_item:
            return float(self.function([prediction], [references], labels)[self.name])
        return float(normalise(prediction) in map(normalise, references))

    @property
    def item_sign(self) -> int:
        """1 where more of ``score_item`` is better, else -1."""
        return self.sign if self.by_item and not self.item_score else 1


def kinds_of(labels: Labels, composed: bool) -> tuple[Kind, ...]:
    """The kinds of right answers that a task may have; see ``Metric.misfit`` for the arguments."""
    if not labels:
        return tuple(kind for kind in OF_TEXT if not (composed and kind is Kind.NUMBERS))
    return (Kind.LABELS, Kind.TWO_LABELS) if len(labels) == PAIR else (Kind.LABELS,)
