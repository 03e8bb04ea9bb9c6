"""Statistics of scores: intervals, comparisons of methods, ranks over tasks. Pure functions."""

from peft_pipelines.evaluation.statistics.crossed import FEWEST_SEEDS, over_seeds
from peft_pipelines.evaluation.statistics.intervals import Interval, Spread, bootstrap, exact, spread
from peft_pipelines.evaluation.statistics.items import statistic
from peft_pipelines.evaluation.statistics.paired import Comparison, McNemar, compare, holm, mcnemar
from peft_pipelines.evaluation.statistics.power import ALPHA, detectable, detectable_share
from peft_pipelines.evaluation.statistics.ranks import (
    Friedman,
    alike_ranks,
    average_ranks,
    critical_difference,
    friedman,
    letters,
    nemenyi,
)
from peft_pipelines.evaluation.statistics.resampling import Resamples, resample
from peft_pipelines.evaluation.statistics.scores import Score, comparison, interval, scored, scored_all

__all__ = [
    "ALPHA",
    "FEWEST_SEEDS",
    "Comparison",
    "Friedman",
    "Interval",
    "McNemar",
    "Resamples",
    "Score",
    "Spread",
    "alike_ranks",
    "average_ranks",
    "bootstrap",
    "compare",
    "comparison",
    "critical_difference",
    "detectable",
    "detectable_share",
    "exact",
    "friedman",
    "holm",
    "interval",
    "letters",
    "mcnemar",
    "nemenyi",
    "over_seeds",
    "resample",
    "scored",
    "scored_all",
    "spread",
    "statistic",
]
