"""The smallest differences that tests find."""

import numpy as np
import pytest

from peft_pipelines.evaluation.statistics.power import detectable, detectable_share


@pytest.mark.parametrize(("n", "discordance"), [(200, 0.2), (1000, 0.1), (500, 0.5)])
def test_a_detectable_share_is_found_in_80_of_100_cases(n: int, discordance: float) -> None:
    """The formula is that of the test by the normal law; the exact test, played here, finds a little less."""
    difference, generator, found = detectable_share(n, discordance), np.random.default_rng(0), 0
    law = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    for first, second, _ in generator.multinomial(n, law, size=2000):
        found += abs(first - second) / max(1, first + second) ** 0.5 > 1.959964
    assert found / 2000 == pytest.approx(0.8, abs=0.03)


def test_more_items_or_less_discordance_detect_smaller_differences() -> None:
    assert detectable_share(100, 0.2) > detectable_share(1000, 0.2) > detectable_share(1000, 0.1)
    assert detectable_share(400, 0.1) == pytest.approx(2.8016 * (0.1 / 400) ** 0.5, rel=0.02)


def test_without_discordance_all_of_it_is_the_difference() -> None:
    """7.8 items on one side are what an exact level of .05 asks for at 80 % power, whatever n."""
    assert detectable_share(1000, 0.0) * 1000 == pytest.approx(7.83, abs=0.05)
    assert detectable_share(2, 0.0) == pytest.approx(1.0, abs=1e-6)


def test_a_difference_of_the_detectable_size_has_80_percent_power() -> None:
    from scipy.stats import norm  # noqa: PLC0415

    assert norm.sf(1.959964 - detectable(0.01) / 0.01) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize(("n", "discordance"), [(0, 0.1), (10, 1.5)])
def test_power_needs_items_and_a_share(n: int, discordance: float) -> None:
    with pytest.raises(ValueError, match=r"at least 1 item and a share are needed$"):
        detectable_share(n, discordance)
