"""What can be wrong with values of the configuration, rule by rule."""

from pathlib import Path

import pytest
from config_rules import RULES
from malformed import Rule, sound, sound_project, tried, weights_read  # noqa: F401


@pytest.mark.usefixtures("weights_read")
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_it_is_told_in_one_line(rule: Rule, sound: Path) -> None:  # noqa: F811
    tried(rule, sound)
