"""The report of three methods on one task for each metric that docs/adding.md adds, as facts in JSON.

Run by tests/docs/test_adding_a_metric.py on a copy of the code in which the page's lines were written down.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import made
from made import Made, free

from peft_pipelines.evaluation.score import bounds
from peft_pipelines.evaluation.statistics.scores import interval, scored
from peft_pipelines.reporting.comparisons import adjust_p_values
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.ranks import rank
from peft_pipelines.reporting.results import write_table

KEPT = {0.0: (1, 3), 0.5: (4, 4), 1.0: (5, 5)}
"""By a method's share the words of five that its even and its odd answers keep, counted from the end."""


def asked(task: Any, n: int, words: str = "") -> list[dict[str, Any]]:
    """Right answers of five words, the first of them in no other; two of one word, which is the majority answer."""
    answers = ["z", "z", *(f"w{place} b c d e" for place in range(2, n))]
    return [{"prompt": f"line {place}", "references": [text]} for place, text in enumerate(answers)]


def answered(rows: list[dict[str, Any]], task: Any, share: float, seed: object) -> list[dict[str, Any]]:
    """The last words of each right answer."""
    cut = [" ".join(row["references"][0].split()[-KEPT[share][place % 2] :]) for place, row in enumerate(rows)]
    return [{**row, "prediction": text} for row, text in zip(rows, cut, strict=True)]


def facts(names: list[str], folder: Path) -> dict[str, Any]:
    """Interval, tests, tables and page of the metrics, each on a task of the same name."""
    made.asked, made.answered = asked, answered
    tasks = [free(name, name) for name in names]
    shown = Made(folder, {"base": 0.5, "good": 1.0, "poor": 0.0}, tasks)
    comparisons = shown.compared()
    results = shown.table(adjust_p_values(comparisons))
    models = {"model.tiny": made.MODEL}
    rows = [{"prediction": text, "references": ["a b c d e"]} for text in ("a", "a b c")]
    pair = scored("length_ratio", [["a", "a b c"]], [["a b c d e"]] * 2, [])
    return {
        "pair": {**asdict(interval(pair)), "right": pair.right, "bounds": bounds(rows, free(metric="length_ratio"))},
        "comparisons": {entry["task"]: entry for entry in comparisons},
        "table": write_table(results, made.PSCP, **models),
        "latex": latex(results),
        "ranks": rank(results)[0][0]["ranks"],
        "marks": {f"{row['method']} {row['task']}": row["marks"] for row in results.to_dict("records")},
        "page": shown.page(),
        "worst": {name: shown.details["poor"][f"tiny.{name}.s0"]["predictions"][0] for name in names},
        "facts": {name: shown.details["poor"][f"tiny.{name}.s0"]["facts"] for name in names},
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        Path(sys.argv[1]).write_text(json.dumps(facts(sys.argv[2:], Path(place))), encoding="utf-8")
