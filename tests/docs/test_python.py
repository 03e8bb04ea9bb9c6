"""The examples of docs/python.md and of the README as they are written, one after another, as in a notebook.

They run in a copy of the project in which the row of the embedded model leads to a tiny one with random weights.
"""

import ast
import re
from pathlib import Path
from typing import Any

import base_rows
import pandas as pd
import pytest
import tiny
import yaml
from project import ROOT, Project, project

from peft_pipelines import results
from peft_pipelines.running import processes

__all__ = ["project"]

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def with_samples(project: Project) -> Project:
    """The project with the examples of one task, and the tiny model under the name of the embedded one.

    Each label is one token of its vocabulary, so that answers are as short as those of the real one.
    """
    model, tokenizer = tiny.fresh("llama"), tiny.tokenizer(tiny.CHATML)
    tokenizer.add_tokens(["negative", "positive", "billing", "technical", "sales"])
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    for part in (model, tokenizer):
        part.save_pretrained(project.folder / "model")
    path = project.folder / base_rows.PARAMETERS.relative_to(ROOT) / "models.yml"
    rows = yaml.safe_load(path.read_text())
    (name,) = (name for name, row in rows["models"].items() if "package" in row)
    rows["models"][name] = project.parameters["models"]["tiny"]
    path.write_text(yaml.safe_dump(rows))
    samples = Path("data/01_raw/samples/sst2")
    (project.folder / samples).mkdir(parents=True)
    for path in (ROOT / samples).iterdir():  # a third of them is enough
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (project.folder / samples / path.name).write_text("".join(lines[::3]), encoding="utf-8")
    return project


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
