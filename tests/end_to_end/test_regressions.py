"""Errors of published benchmark code that no other test holds; 1 to 4 stand in metrics/test_seen_elsewhere.

5, 7 and 10 are in providers/test_contract, 9 in test_generation, 13 in pipelines/test_data, and most of 11 and 12 in
tasks/ and test_prompting.
"""

import ast
import json
from pathlib import Path

import base_rows
import pandas as pd
import pytest
import tiny
import torch
import yaml
from project import ROWS, Project, project  # noqa: F401

from peft_pipelines.methods import providers
from peft_pipelines.models import base_model

SOFT_PROMPTS = [name for name, row in tiny.METHODS.items() if row.family == "soft_prompt"]
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
PROVIDERS = sorted({row.provider for row in tiny.METHODS.values()})
SOURCE = base_rows.PROJECT / "src/peft_pipelines"
RUNS_TEXT = {"eval", "exec", "compile", "literal_eval", "loads"}

TASKS = base_rows.rows_of("tasks")
OURS = yaml.safe_load((base_rows.PROJECT / "conf/smoke27/grid.yml").read_text())["tasks"]
"""The tasks of the PEFT-Factory paper."""
LABELS = {"macro_f1", "accuracy", "invalid_rate", "per_class"}
CODE = {"codebleu", "bleu", "exact_match", "parses", "rouge1", "rouge2", "rougeL"}
FREE = {
    "stsb": {"pearson", "spearman", "rmse", "invalid_number_rate"},
    "record": {"token_f1", "exact_answer"},
    "gsm8k": {"strict_match", "flexible_extract", "number_accuracy", "format_rate"},
    "svamp": {"number_accuracy", "equation_accuracy", "equation_consistency"},
    "conala": CODE,
    "codealpaca": CODE,
    "apps": CODE,
}
MORE = {"cola": {"mcc"}, "multirc": {"f1a", "f1m", "exact_question"}}


@pytest.mark.parametrize("name", OURS)
def test_each_task_reports_what_its_kind_asks_for(name: str) -> None:
    assert set(TASKS[name]["metrics"]) >= FREE.get(name, LABELS) | MORE.get(name, set())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", SOFT_PROMPTS)
def test_6_a_trained_soft_prompt_survives_save_and_load(name, dtype, device, tmp_path: Path) -> None:
    base, tokens = tiny.fresh("llama", dtype).to(device), tiny.ids(12, rows=2).to(device)
    attached = providers.attach(base_model.clone(base), tiny.method_for(name, "llama"), 0)
    before = tiny.logits(attached.plain.eval(), tokens)
    tiny.stir(attached)
    expected = tiny.logits(attached.plain.eval(), tokens)
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(base), tiny.method_for(name, "llama"), tmp_path)
    found = tiny.logits(loaded.plain.eval(), tokens)
    assert torch.equal(found, expected)
    assert not torch.equal(found, before)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_8_what_changes_nothing_gives_the_base_models_logits(provider: str) -> None:
    tokens = tiny.ids(12, rows=2)
    expected = tiny.logits(tiny.base("llama"), tokens)
    exact = []
    for name in [name for name in tiny.taken("llama") if tiny.METHODS[name].provider == provider]:
        attached = tiny.attach(name, "llama")
        found = tiny.logits(attached.plain.eval(), tokens)
        if torch.allclose(found, expected, atol=1e-5):
            exact.append(name)
            changed = torch.cat([tokens[:, :8], tokens[:, 8:] + 1], dim=1)
            assert torch.allclose(tiny.logits(attached.plain, changed)[:, :8], expected[:, :8], atol=1e-5), name
    assert exact, f"no method of provider {provider} starts from the base model"


def test_11_no_text_is_run_as_code_outside_the_sandbox() -> None:
    """``compile`` of a regular expression, and the readers of JSON and YAML, are other functions of the same names."""
    found, sending = [], set()
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_TEXT:
                found.append(path.relative_to(SOURCE).as_posix())
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "dill", "cloudpickle", "joblib"} & {name.split(".")[0] for name in names}, path
                sending |= {path.relative_to(SOURCE).as_posix() for name in names if name == "ForkingPickler"}
            if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path
    assert set(found) == {"evaluation/sandbox/launcher.py"}
    # to a run's own processes, here or through Ray, never into a file
    assert sending == {"running/shipment.py", "running/worker.py", "running/ray_worker.py"}


def test_12_rows_that_lose_text_are_counted_in_the_results_and_marked(project: Project) -> None:  # noqa: F811
    long = {"sentence": "a line that goes on and on " * 40, "label": 1}
    project.rows(train=ROWS, test=[*ROWS[:3], long])
    project.parameters["training"]["max_length"] = 120
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    row = pd.read_csv("data/08_reporting/results.csv").set_index("method").loc["zero_shot"]
    assert (row["truncated_rows"], row["truncated_share"]) == (1, 0.25)
    assert "†" in row["marks"]
    (cell,) = Path("data/07_model_output").rglob("generation.json")
    assert json.loads(cell.read_text())["truncated"] == 1
