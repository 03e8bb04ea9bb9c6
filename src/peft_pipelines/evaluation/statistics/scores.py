"""Intervals and comparisons of a task's scores, from the answers: the test that fits the metric is chosen here."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, TypeVar, Unpack

from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.metric import Metric, Resampling
from peft_pipelines.evaluation.statistics.crossed import ends, over_seeds
from peft_pipelines.evaluation.statistics.intervals import Interval, bootstrap, exact
from peft_pipelines.evaluation.statistics.items import item_values, statistic
from peft_pipelines.evaluation.statistics.paired import Comparison, compare, mcnemar
from peft_pipelines.evaluation.statistics.power import detectable_share
from peft_pipelines.evaluation.statistics.resampling import RESAMPLES, Resamples, resample_all

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Score:
    """A method's score on a task, resampled once for its interval and all comparisons.

    ``right`` says of each item whether it is right, where items are independent, right or wrong, and of one seed.
    """

    metric: Metric
    resamples: Resamples
    right: tuple[bool, ...] | None


class Draws(TypedDict, total=False):
    """How items are resampled; see ``scored_all``."""

    groups: Sequence[str] | None
    questions: Sequence[str] | None
    seed: int
    resamples: int


def scored(
    name: str,
    answers: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    **draws: Unpack[Draws],
) -> Score:
    """A metric's score with its resamples.

    Args:
        name: a metric of the registry.
        answers: the predictions of each training seed, one list or several, all of the same items.
        references: the right answers of each item.
        labels: the task's label words, none for free text.
        draws: ``groups``, ``questions``, ``seed`` and ``resamples`` of ``scored_all``.

    Raises:
        ValueError: the metric is unknown or refuses the rows, or lengths differ.
    """
    return scored_all([name], {None: answers}, references, labels, **draws)[name][None]


def scored_all(
    names: Sequence[str],
    answers: Mapping[K, Sequence[Sequence[str]]],
    references: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    questions: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, dict[K, Score]]:
    """``scored`` by several metrics, of several methods on the same items: drawn once, so the numbers are the same.

    Args:
        names: metrics of the registry.
        answers: by method the predictions of each of its training seeds.
        references: the right answers of each item.
        labels: the task's label words, none for free text.
        groups: the group of each item, where items share a passage.
        questions: the question of each item, for the metrics that need it; the groups where there are no others.
        seed: decides the draws; two scores are comparable where it is the same.
        resamples: how many draws.

    >>> found = scored_all(["accuracy"], {"good": [["a", "a"]], "bad": [["b", "b"]]}, [["a"], ["a"]], [])
    >>> {method: score.resamples.value for method, score in found["accuracy"].items()}
    {'good': 1.0, 'bad': 0.0}
    """
    statistics = {
        (name, method): [statistic(name, texts, references, labels, questions=questions) for texts in seeds]
        for name in names
        for method, seeds in answers.items()
    }
    together = groups if groups is not None else questions
    drawn = resample_all(statistics, len(references), groups=together, seed=seed, resamples=resamples)
    found: dict[str, dict[K, Score]] = {name: {} for name in names}
    for (name, method), score in drawn.items():
        metric, right = registry.metric(name), None
        if metric.resampling is Resampling.SHARE and together is None and len(answers[method]) == 1:
            values = item_values(name, answers[method][0], references, labels)
            right = tuple(value == 1 for value in values)
        found[name][method] = Score(metric, score, right)
    return found


def interval(score: Score) -> Interval:
    """The 95 % interval of a score.

    Of one seed it speaks of other test items for the same weights: exact for a share of independent items, the
    bootstrap's for everything else. Of several seeds it speaks of other seeds as well (see ``crossed.py``). A score
    from 0 to 1 that is the same in all resamples has the width that its count of independent items leaves it.

    >>> found = interval(scored("accuracy", [["yes"] * 20], [["yes"]] * 20, []))
    >>> found.method, round(found.low, 3), found.high
    ('exact', 0.832, 1.0)
    """
    if score.right is not None:
        return exact(sum(score.right), len(score.right))
    drawn, unit, share = score.resamples, score.metric.unit, score.metric.resampling is Resampling.SHARE
    if len(drawn.seeds) > 1:
        return over_seeds(drawn, unit, share=share)
    found = bootstrap(drawn)
    if found.error > 0:
        return found
    low, high = ends(drawn, unit, 0.0, share=share)
    return replace(found, low=low, high=high)


def comparison(first: Score, second: Score) -> Comparison:
    """First minus second: see ``paired.compare``; for a share of independent items, one seed each, McNemar's exact p.

    With groups, and for scores that are no share, McNemar's assumption of independent pairs does not hold.

    >>> good, bad = (scored("accuracy", [["a"] * k + ["b"] * (20 - k)], [["a"]] * 20, []) for k in (15, 9))
    >>> found = comparison(good, bad)
    >>> round(found.difference, 2), found.p, found.test, found.about
    (0.3, 0.03125, 'mcnemar', 'checkpoints')
    """
    found = compare(first.resamples, second.resamples)
    if first.right is None or second.right is None:
        return found
    pairs = mcnemar(first.right, second.right)
    needed = detectable_share(found.n, (pairs.only_first + pairs.only_second) / found.n)
    return replace(found, p=pairs.p, detectable=needed, test="mcnemar")
