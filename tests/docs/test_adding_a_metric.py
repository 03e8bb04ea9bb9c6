"""docs/adding.md followed to the letter: its functions and rows are written down, and a report is made with them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from peft_pipelines.cli.commands import metrics
from peft_pipelines.evaluation.metrics.registry import METRICS
from peft_pipelines.reporting.metric_list import metric_table

ROOT = Path(__file__).parents[2]
NAMES = ["length_ratio", "length_error", "vocabulary_recall"]


def written(folder: Path) -> Path:
    """A copy of the code in which the lines of the section on metrics stand where the page says."""
    section = (ROOT / "docs/adding.md").read_text(encoding="utf-8").partition("## A metric")[2].partition("\n## ")[0]
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    module, rows = re.findall(r"^```python\n# (\S+)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    (folder / module[0]).write_text(f'"""Lengths."""\n\n{module[1]}', encoding="utf-8")
    imported, _, lines = rows[1].partition("\n\n")
    registry = folder / rows[0]
    text = registry.read_text(encoding="utf-8")
    text = text.replace("\nfrom peft", f"\n{imported}\nfrom peft", 1)
    before, start, after = text.partition("_ROWS = (\n")
    inside, end, behind = after.partition("\n)\n")
    registry.write_text(f"{before}{start}{inside}\n{lines.rstrip()}{end}{behind}", encoding="utf-8")
    return folder / "src"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report that the copy makes."""
    folder = tmp_path_factory.mktemp("copy")
    paths = os.pathsep.join([str(written(folder)), str(ROOT / "tests/support")])
    script = ROOT / "tests/support/example_metrics.py"
    command = [sys.executable, str(script), str(folder / "facts.json"), *NAMES]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return found


def pairs(facts: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The comparisons on a task by their two methods."""
    return {f"{pair['first']}-{pair['second']}": pair for pair in facts["comparisons"][name]["pairs"]}


def test_graded_items_have_a_mean_with_a_bootstrap_interval(facts: dict[str, Any]) -> None:
    pair = facts["pair"]
    assert (pair["value"], pair["method"], pair["right"]) == (pytest.approx(0.4), "bootstrap", None)
    assert (pair["low"], pair["high"]) == (pytest.approx(0.2), pytest.approx(0.6))
    assert pair["bounds"] == {"primary_low": pytest.approx(0.2), "primary_high": pytest.approx(0.6)}
    poor = facts["comparisons"]["length_ratio"]["scores"]["poor"]
    assert (poor["value"], poor["method"]) == (pytest.approx(0.43), "bootstrap")
    assert 0.3 < poor["low"] < 0.43 < poor["high"] < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_pairs_are_tested_by_the_bootstrap_and_the_better_stands_first(name: str, facts: dict[str, Any]) -> None:
    found = pairs(facts, name)
    assert next(iter(facts["comparisons"][name]["scores"])) == "good"
    assert {pair["test"] for pair in found.values()} <= {"bootstrap", "bootstrap_t"}
    assert found["good-poor"]["p"] < 0.001
    assert (found["good-poor"]["difference"] < 0) is (name == "length_error")


def test_a_whole_split_is_drawn_as_it_is(facts: dict[str, Any]) -> None:
    scores = facts["comparisons"]["vocabulary_recall"]["scores"]
    assert [scores[name]["value"] for name in ("good", "base", "poor")] == pytest.approx([1.0, 5 / 43, 4 / 43])
    assert scores["poor"]["method"] == "bootstrap" and 0 < scores["poor"]["low"] < scores["poor"]["high"]
    assert pairs(facts, "vocabulary_recall")["base-poor"]["difference"] == pytest.approx(1 / 43)


def test_the_table_writes_each_metric_in_its_unit(facts: dict[str, Any]) -> None:
    assert "length_error length_error ↓" in facts["table"]
    assert "length_error (words, lower is better, not in the mean)" in " ".join(facts["table"].split())
    assert "43.0 [" in facts["table"] and "2.85 [" in facts["table"]
    assert "285.0" not in facts["table"]
    mean = re.search(r"\| poor .*\| +([\d.]+) \|$", facts["table"], re.MULTILINE)
    assert mean and float(mean[1]) == pytest.approx(100 * (0.43 + 4 / 43) / 2, abs=0.05)


def test_the_best_score_is_the_lowest_where_lower_is_better(facts: dict[str, Any]) -> None:
    good, poor = (
        next(line for line in facts["latex"].splitlines() if line.startswith(name)) for name in ("good", "poor")
    )
    assert good.count(r"\textbf") == 3 and r"\textbf{0.00}" in good
    assert r"\textbf" not in poor
    assert r"length\_error $\downarrow$" in facts["latex"]
    cells = re.findall(r'<td class="([^"]*)"><button class="cell" data-cells="(\w+)\.tiny\.(\w+)\.s0"', facts["page"])
    assert sorted((method, task) for kind, method, task in cells if "best" in kind) == sorted(
        ("good", name) for name in NAMES
    )
    assert "good on length_error: 0.00 in the words" in facts["page"]


def test_ranks_signs_and_worst_answers_follow_the_direction(facts: dict[str, Any]) -> None:
    assert facts["ranks"] == {"good": 1.0, "base": 2.0, "poor": 3.0}
    assert facts["marks"]["good length_error"] == ""
    assert facts["worst"]["length_error"]["score"] == 4 and facts["worst"]["length_ratio"]["score"] == 0.2
    assert facts["facts"]["length_error"]["Scores"]["length_error"].startswith("2.85 (2.")


def test_costs_are_taken_off_no_error(facts: dict[str, Any]) -> None:
    assert "PSCP" not in facts["facts"]["length_error"]["Costs"]
    assert "PSCP" in facts["facts"]["length_ratio"]["Costs"]


def test_the_page_on_scores_has_the_table_of_the_registry() -> None:
    shown = CliRunner().invoke(metrics).stdout.rstrip("\n")
    assert shown == metric_table(METRICS.values())
    assert shown in (ROOT / "docs/evaluation.md").read_text(encoding="utf-8")
