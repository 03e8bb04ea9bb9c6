"""How large a true difference must be for a test to find it."""

from math import inf, sqrt

from peft_pipelines.evaluation.statistics.intervals import stats

POWER = 0.8
ALPHA = 0.05


def detectable(error: float, *, freedom: float = inf, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest true difference that a two-sided test of this standard error finds with this power.

    >>> round(detectable(0.01), 4), round(detectable(0.01, freedom=4), 4)
    (0.028, 0.0372)
    """
    law = stats().t
    return float(law.ppf(1 - alpha / 2, freedom) + law.ppf(power, freedom)) * error


def detectable_share(n: int, discordance: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest true difference of two shares that McNemar's test finds with this power (Connor 1987).

    A difference cannot exceed the share of items on which the methods disagree, so where ``discordance`` is smaller
    than any difference to be found, all disagreement is taken to be on one side.

    Args:
        n: how many items there are.
        discordance: the share of items that exactly one of the methods gets right, from 0 to 1.
        power: how often the test is to find the difference.
        alpha: how often it may find one that is not there.

    >>> round(detectable_share(1000, 0.1), 3)
    0.028
    """
    if n < 1 or not 0 <= discordance <= 1:
        raise ValueError(f"{n} items and discordance {discordance}: at least 1 item and a share are needed")
    z_alpha, z_power = _quantile(1 - alpha / 2), _quantile(power)

    def found(difference: float) -> bool:
        either = max(discordance, difference)
        return difference * sqrt(n) >= z_alpha * sqrt(either) + z_power * sqrt(max(0.0, either - difference**2))

    low, high = 0.0, 1.0
    while high - low > 1e-9:  # noqa: PLR2004
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def _quantile(share: float) -> float:
    return float(stats().norm.ppf(share))
