"""What can be wrong with the tokenizer of a model folder, rule by rule."""

from pathlib import Path

import pytest
from malformed import Rule, sound, sound_project, tried, weights_read  # noqa: F401
from tokenizer_rules import RULES


@pytest.mark.usefixtures("weights_read")
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_it_is_told_in_one_line(rule: Rule, sound: Path) -> None:  # noqa: F811
    tried(rule, sound)
