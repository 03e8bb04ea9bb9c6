"""What makes which cell stale, on the project's own pipelines and rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from project import Project, project  # noqa: F401

from peft_pipelines.pipelines.cells.construct import construct
from peft_pipelines.pipelines.cells.generate import generate
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.pipelines.cells.train import train
from peft_pipelines.pipelines.data.nodes import adapt, instruct
from peft_pipelines.pipelines.data.profile import profile
from peft_pipelines.runners.fingerprint import Fingerprints, code, digest, folder_identity, meaning
from peft_pipelines.runners.stages import stage_of
from peft_pipelines.runners.units import split

METHODS = ["zero_shot", "lora", "ia3", "bitfit", "sequential_bottleneck"]
TASKS = ["mood", "other"]
Change = Callable[[Project], Any]


@pytest.fixture
def grid(project: Project) -> Project:  # noqa: F811
    """Five methods on two tasks; the data have been made."""
    project.grid.update(methods=METHODS, tasks=TASKS)
    project.parameters["tasks"]["other"] = {**project.task, "instruction": "Is it good?"}
    project.parameters["methods"] = {}
    (project.folder / "raw" / "other").mkdir()
    for path in (project.folder / "raw" / "mood").iterdir():
        (project.folder / "raw" / "other" / path.name).write_bytes(path.read_bytes())
    return project


def prints(project: Project) -> dict[str, str]:  # noqa: F811
    """The fingerprint of each cell, the data made first."""
    return {cell: digest(found) for cell, found in steps(project).items()}


def steps(project: Project) -> dict[str, dict[str, str]]:  # noqa: F811
    """The fingerprint of each cell's nodes, the data made first."""
    assert project.kedro("run", "--pipeline=data").exit_code == 0
    bootstrap_project(project.folder)
    with settings.SESSION_CLASS.create(project.folder, runtime_params={"raw": "raw", "store": "data"}) as session:
        catalog = session.load_context().catalog
        found = Fingerprints(catalog)
        cells = split(pipelines["benchmark"].nodes, {}).cells
        return {cell.tag.removeprefix("cell."): found.of(cell, {}) for cell in cells}


def cells(methods: list[str] = METHODS, tasks: list[str] = TASKS) -> set[str]:
    return {f"{method}.tiny.{task}.s0" for method in methods for task in tasks}


def learning_rate(project: Project) -> None:  # noqa: F811
    project.parameters["methods"]["lora"] = {"training": {"learning_rate": 0.5}}


def shared_learning_rate(project: Project) -> None:  # noqa: F811
    project.parameters["training"]["learning_rate"] = 0.5


def epochs(project: Project) -> None:  # noqa: F811
    project.parameters["training"]["epochs"] = 2


def config(project: Project) -> None:  # noqa: F811
    project.parameters["methods"]["lora"] = {"config": {"r": 2}}


def data_row(project: Project) -> None:  # noqa: F811
    path = project.folder / "raw" / "mood" / "train.jsonl"
    path.write_text(path.read_text().replace("line 3", "line three"))


def prompt(project: Project) -> None:  # noqa: F811
    project.task["instruction"] = "Good, or rather bad?"


def method_file(project: Project) -> None:  # noqa: F811
    path = project.folder / "methods" / "bitfit" / "model.py"
    path.write_text(path.read_text() + "\nNEW = 1\n")


def seed(project: Project) -> None:  # noqa: F811
    project.parameters["seeds"] = {"s0": 7}


def weights(project: Project) -> None:  # noqa: F811
    path = project.folder / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def informing_fields(project: Project) -> None:  # noqa: F811
    project.task.update(licence="MIT", citation="Somebody 2020", notes="nice")
    project.parameters["models"]["tiny"]["notes"] = "small"
    project.parameters["methods"]["lora"] = {"notes": "good", "citation": "Hu"}


def yaml_layout(project: Project) -> None:  # noqa: F811
    for path in (project.folder / "conf" / "base").rglob("*.yml"):
        if path.name not in ("catalog.yml", "globals.yml"):
            path.write_text("# new\n\n" + yaml.safe_dump(yaml.safe_load(path.read_text()), sort_keys=True, indent=6))


def untouched_raw(project: Project) -> None:  # noqa: F811
    for path in (project.folder / "raw").rglob("*.jsonl"):
        path.write_text(path.read_text())


OWN_RATE = [name for name in METHODS if name != "zero_shot"]
"""The methods whose rows name a learning rate of their own."""

CHANGES: list[tuple[Change, set[str]]] = [
    (learning_rate, cells(["lora"])),
    (shared_learning_rate, cells() - cells(OWN_RATE)),
    (epochs, cells()),
    (config, cells(["lora"])),
    (data_row, cells(tasks=["mood"])),
    (prompt, cells(tasks=["mood"])),
    (method_file, cells(["bitfit"])),
    (seed, cells()),
    (weights, cells()),
    (informing_fields, set()),
    (yaml_layout, set()),
    (untouched_raw, set()),
]


@pytest.mark.parametrize(("change", "stale"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_change_makes_exactly_its_cells_stale(grid: Project, change: Change, stale: set[str]) -> None:
    before = prints(grid)
    assert before.keys() == cells()
    change(grid)
    after = prints(grid)
    assert {name for name in before if before[name] != after[name]} == stale


def metric(project: Project) -> None:  # noqa: F811
    project.task["metrics"] = ["accuracy", "macro_f1"]


def longer_answers(project: Project) -> None:  # noqa: F811
    project.task["max_new_tokens"] = 3


@pytest.mark.parametrize(("change", "stale"), [(metric, {"score"}), (longer_answers, {"generate", "score"})])
def test_a_field_makes_stale_what_it_decides(grid: Project, change: Change, stale: set[str]) -> None:
    grid.grid["methods"] = ["zero_shot", "lora"]
    before = steps(grid)
    change(grid)
    after = steps(grid)
    differing = {
        (cell, node.rpartition("-")[2])
        for cell, found in before.items()
        for node, known in found.items()
        if after[cell][node] != known
    }
    assert differing == {(cell, step) for cell in cells(["zero_shot", "lora"], ["mood"]) for step in stale}


def test_code_of_metrics_decides_scores_and_not_training(tmp_path: Path) -> None:
    for name in ("metrics/text.py", "preprocess.py", "training.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    stages = {function.__name__: stage_of(function) for function in (adapt, train, generate, score)}
    before = {name: code(tmp_path, stage.aside) for name, stage in stages.items()}
    for path, stale in (
        ("metrics/text.py", {"score"}),
        ("preprocess.py", {"adapt"}),
        ("training.py", {"train"}),  # the others follow, since their inputs do
    ):
        (tmp_path / path).write_text("x = 2\n")
        code.cache_clear()
        assert {name for name, stage in stages.items() if code(tmp_path, stage.aside) != before[name]} == stale, path
        (tmp_path / path).write_text("x = 1\n")


def test_the_kind_of_processor_counts_where_a_model_computes() -> None:
    assert [stage_of(function).device for function in (construct, train, generate)] == [True, True, True]
    assert [stage_of(function).device for function in (adapt, instruct, profile, score)] == [False] * 4


def test_comments_docstrings_and_layout_of_code_mean_nothing() -> None:
    plain = "def f(x):\n    return x + 1\n"
    assert meaning('"""Module."""\n\n\ndef f(x):  # why\n    """Adds."""\n    return (x + 1)\n') == meaning(plain)
    assert meaning("def f(x):\n    return x + 2\n") != meaning(plain)
    assert meaning('def f(x="a"):\n    return x\n') != meaning('def f(x="b"):\n    return x\n')


def test_code_that_decides_nothing_does_not_count(tmp_path: Path) -> None:
    for name in ("training.py", "cli.py", "runners/a.py", "pipelines/report/nodes.py", "pipelines/cells/train.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    before = code(tmp_path)
    for name, decides in (("cli.py", 0), ("runners/a.py", 0), ("pipelines/report/nodes.py", 0), ("training.py", 1)):
        (tmp_path / name).write_text("x = 2\n")
        code.cache_clear()
        assert (code(tmp_path) != before) == bool(decides), name


def test_a_row_has_the_same_hash_whatever_the_order_of_its_keys() -> None:
    assert digest({"a": 1, 0: "x"}) == digest({0: "x", "a": 1}) != digest({"a": 1, "0": "x"})


def test_a_models_folder_is_told_apart_by_names_sizes_and_content(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(10_000_000))
    zeros = folder_identity(tmp_path)
    path.write_bytes(bytes(9_999_999) + b"x")
    assert folder_identity(tmp_path) != zeros
    path.write_bytes(bytes(10_000_001))
    assert folder_identity(tmp_path) != zeros
    path.write_bytes(bytes(10_000_000))
    assert folder_identity(tmp_path) == zeros
