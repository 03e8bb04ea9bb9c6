"""The list of what would be removed, as the documentation shows it, and what is said of what was spared."""

import re
from pathlib import Path

from peft_pipelines.tracking.clean import Item
from peft_pipelines.tracking.clean_table import SHOWN, has_removed, would_remove
from peft_pipelines.tracking.clean_up import Cleaned

ROOT = Path(__file__).parents[2]
STORE = ROOT / "data"
OLD = "2026-10-01T12.00.00.000512Z"
ITEMS = [
    Item("runs", STORE / f"08_reporting/runs/{OLD}", 48_200, None),
    Item("versions", STORE / f"06_models/tiny/mood/lora/s0/checkpoint/{OLD}", 1_859_871, None),
    Item("states", STORE / "06_models/tiny/mood/ia3/s0/state", 5_300_000, None),
    Item("failed", STORE / "07_model_output/tiny/mood/ia3/s0/failure.json", 240, None),
]


def test_the_list_is_what_the_page_shows() -> None:
    page = (ROOT / "docs/provenance.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^\$ kedro clean [^\n]*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert would_remove(ITEMS, ROOT, every=False) == block.rstrip("\n")


def test_only_the_largest_are_listed_unless_all_are_wanted() -> None:
    many = [Item("failed", STORE / f"cell{number}/failure.json", number, None) for number in range(SHOWN + 5)]
    short = [line for line in would_remove(many, ROOT, every=False).splitlines() if line.startswith("* ")]
    assert short[0].endswith("data/cell5/failure.json") and short[-1] == "* and 5 smaller ones, see --all"
    assert len([line for line in would_remove(many, ROOT, every=True).splitlines() if line[:1] == "*"]) == SHOWN + 5


def test_what_was_removed_and_what_was_spared_is_told() -> None:
    told = has_removed(Cleaned(ITEMS[-1:], {"lora · m · t · s0": "held by run r"}))
    assert "* lora · m · t · s0 is left: held by run r" in told
    assert told.splitlines()[-1] == "1 item of 240 B removed."
