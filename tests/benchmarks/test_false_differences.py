"""How often differences are named, in few tables; the benchmark itself counts many."""

import false_differences as simulation
import pytest


def rates(seeds: int, spread: float, difference: float = 0.0) -> simulation.Rates:
    setting = simulation.Setting(seeds, spread, difference)
    return simulation.rates(setting, list(simulation.tables(setting, 100, items=300, resamples=400)))


@pytest.mark.parametrize("spread", [0.0, 0.02])
def test_like_methods_with_three_seeds_are_seldom_told_apart(spread: float) -> None:
    found = rates(3, spread)
    assert found.about == "methods"
    assert found.pairs < 0.06 and found.tables < 0.1
    assert found.covered > 0.93


def test_one_seed_tells_checkpoints_apart_that_do_differ() -> None:
    """Of like methods whose seeds spread by 4 points: often named, nearly always with the right sign."""
    found = rates(1, 0.04)
    assert found.about == "checkpoints"
    assert found.pairs > 0.3 and found.signs > 0.95


def test_a_large_difference_is_found_from_three_seeds() -> None:
    assert rates(3, 0.01, 0.1).detected > 0.8
