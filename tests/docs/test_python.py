"""The examples of docs/python.md and of the README as they are written, one after another, as in a notebook.

They run in a copy of the project in which the row of the embedded model leads to a tiny one with random weights.
"""

import ast
import re
from typing import Any

import pandas as pd
import pytest
from project import ROOT, Project
from sampled import project, with_samples

from peft_pipelines import results
from peft_pipelines.running import processes

__all__ = ["project", "with_samples"]

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def played(blocks: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """The names that code defines, and the value of the last line of each block, as a notebook shows it."""
    names: dict[str, Any] = {}
    shown: list[Any] = []
    for block in blocks:
        *body, last = ast.parse(block).body
        exec(compile(ast.Module(body, []), "docs", "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "docs", "eval"), names))
        else:
            exec(compile(ast.Module([last], []), "docs", "exec"), names)
    return names, shown


def test_the_page_does_what_it_says(with_samples: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "crew_size", lambda *_: 1)  # cells run here, as each process would load torch anew
    names, answered = played(BLOCK.findall(README))
    assert len(answered[0]) == 1 and names["results"].method.tolist()[2:] == ["zero_shot", "lora"]
    names, shown = played(BLOCK.findall(PAGE))
    table, (_, tickets, answers) = names["table"], shown[:3]
    assert table.method.tolist() == ["majority", "random", "zero_shot", "lora"]
    assert set(table.status[2:]) == {"done"}
    assert names["best"].method.tolist() and tickets.method.tolist()[2:] == ["lora", "lora_small"]
    assert answers.columns.tolist()[1:4] == [f"probability_{team}" for team in ("billing", "technical", "sales")]
    listed = re.findall(r"`(\w+)`", PAGE[PAGE.index("| `model`, `task`") : PAGE.index("```python\ndone")])
    assert set(listed) - {"done", "failed"} <= set(table.columns)
    assert results(env="mine").equals(pd.DataFrame(tickets))
    assert names["classifier"].predict_proba(["My invoice"]).shape == (1, 3) and len(shown[3]) == 2
    assert (shown[4] == names["classifier"].predict_proba(["My invoice is wrong"])).all()
