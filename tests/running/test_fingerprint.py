"""What makes which cell stale, on the project's own pipelines and rows."""

import ast
import os
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from project import Project, project  # noqa: F401

from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.profile import profile
from peft_pipelines.pipelines.cells.construct import construct
from peft_pipelines.pipelines.cells.generate import generate
from peft_pipelines.pipelines.cells.score import score
from peft_pipelines.pipelines.cells.train import train
from peft_pipelines.running import source
from peft_pipelines.running.fingerprint import Fingerprints, digest, folder_identity
from peft_pipelines.running.source import meaning
from peft_pipelines.running.stages import DECIDES_NOTHING, stage_of
from peft_pipelines.running.units import split

METHODS = ["zero_shot", "lora", "ia3", "bitfit", "sequential_bottleneck"]
TASKS = ["mood", "other"]
Change = Callable[[Project], Any]


def with_grid(project: Project) -> Project:  # noqa: F811
    """Five methods on two tasks."""
    project.grid.update(methods=METHODS, tasks=TASKS)
    project.parameters["tasks"]["other"] = {**project.task, "instruction": "Is it good?"}
    project.parameters["methods"] = {}
    (project.folder / "raw" / "other").mkdir()
    for path in (project.folder / "raw" / "mood").iterdir():
        (project.folder / "raw" / "other" / path.name).write_bytes(path.read_bytes())
    return project


@pytest.fixture
def grid(project: Project) -> Project:  # noqa: F811
    return with_grid(project)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The fingerprints of a project that nobody changes. It has a folder of its own: no fingerprint depends on that."""
    folder = tmp_path_factory.mktemp("unchanged")
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEFT_DIR", str(folder / "methods"))
        return steps(with_grid(Project(folder)))


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
    (seed, cells()),
    (informing_fields, set()),
    (yaml_layout, set()),
    (untouched_raw, set()),
]


@pytest.mark.parametrize(("change", "stale"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_change_makes_exactly_its_cells_stale(
    grid: Project, before: dict[str, dict[str, str]], change: Change, stale: set[str]
) -> None:
    change(grid)
    after = steps(grid)
    assert before.keys() == after.keys() == cells()
    assert {cell for cell in before if before[cell] != after[cell]} == stale


@pytest.mark.parametrize(("change", "stale"), [(method_file, cells(["bitfit"])), (weights, cells())])
def test_a_file_that_this_process_has_read_is_read_again(grid: Project, change: Change, stale: set[str]) -> None:
    earlier = steps(grid)
    change(grid)
    later = steps(grid)
    assert {cell for cell in earlier if earlier[cell] != later[cell]} == stale


def metric(project: Project) -> None:  # noqa: F811
    project.task["metrics"] = ["accuracy", "macro_f1"]


def longer_answers(project: Project) -> None:  # noqa: F811
    project.task["max_new_tokens"] = 6


@pytest.mark.parametrize(("change", "stale"), [(metric, {"score"}), (longer_answers, {"generate", "score"})])
def test_a_field_makes_stale_what_it_decides(
    grid: Project, before: dict[str, dict[str, str]], change: Change, stale: set[str]
) -> None:
    change(grid)
    differing = {
        (cell, node.rpartition("-")[2])
        for cell, found in steps(grid).items()
        for node, fingerprint in found.items()
        if before[cell][node] != fingerprint
    }
    assert differing == {(cell, step) for cell in cells(tasks=["mood"]) for step in stale}


def test_longer_answers_of_a_method_make_its_answers_stale(grid: Project, before: dict[str, dict[str, str]]) -> None:
    grid.parameters["methods"]["bitfit"] = {"max_new_tokens": 64}
    differing = {
        (cell, node.rpartition("-")[2])
        for cell, found in steps(grid).items()
        for node, fingerprint in found.items()
        if before[cell][node] != fingerprint
    }
    assert differing == {(cell, step) for cell in cells(["bitfit"]) for step in ("generate", "score")}


MODULES = {
    "pipelines/cells/train.py": "from pkg.training.train import x\n",
    "pipelines/cells/score.py": "from pkg.evaluation import registry\n",
    "training/train.py": "from pkg.data import batching\nx = 1\n",
    "data/batching.py": "x = 1\n",
    "data/preprocess.py": "x = 1\n",
    "data/adapt.py": "def adapt():\n    from pkg.data.preprocess import x\n",
    "evaluation/__init__.py": "",
    "evaluation/registry.py": "from pkg.evaluation.text import x\n",
    "evaluation/text.py": "x = 1\n",
    "reporting/table.py": "x = 1\n",
    "config/errors.py": "x = 1\n",
}
STARTS = {"adapt": "data.adapt", "train": "pipelines.cells.train", "score": "pipelines.cells.score"}
DECIDED_BY = [
    ("evaluation/text.py", {"score"}),
    ("evaluation/__init__.py", {"score"}),
    ("data/preprocess.py", {"adapt"}),
    ("data/batching.py", {"train"}),
    ("training/train.py", {"train"}),  # the steps behind it follow, since their inputs do
    ("pipelines/cells/score.py", {"score"}),
    ("reporting/table.py", set()),
    ("config/errors.py", set()),
]


@pytest.mark.parametrize(("path", "stale"), DECIDED_BY, ids=[path for path, _ in DECIDED_BY])
def test_code_decides_the_steps_that_reach_it_by_import(tmp_path: Path, path: str, stale: set[str]) -> None:
    package = tmp_path / "pkg"
    for name, text in MODULES.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    stages = {"adapt": stage_of(adapt), "train": stage_of(train), "score": stage_of(score)}

    def prints() -> dict[str, str]:
        source._tree.cache_clear()
        return {
            name: source.code(package, stage.folders, DECIDES_NOTHING, starts=[STARTS[name]])
            for name, stage in stages.items()
        }

    before = prints()
    (package / path).write_text((package / path).read_text() + "y = 2\n")
    after = prints()
    assert {name for name in before if before[name] != after[name]} == stale


IMPORTS = {
    "from pkg.data.sampling import draw": {"data/__init__.py", "data/sampling.py"},
    "from pkg.data import sampling": {"data/__init__.py", "data/sampling.py"},
    "from pkg import data": {"data/__init__.py"},
    "import pkg.data.sampling": {"data/__init__.py", "data/sampling.py"},
    "import json, pkg.data.sampling as drawn": {"data/__init__.py", "data/sampling.py"},
    "from . import other": {"step/other.py"},
    "from .other import value": {"step/other.py"},
    "from ..data import sampling": {"data/__init__.py", "data/sampling.py"},
    "def f():\n    from pkg.data import sampling": {"data/__init__.py", "data/sampling.py"},
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.data import sampling": set(),
    "import typing\nif typing.TYPE_CHECKING:\n    import pkg.data.sampling": set(),
    "from elsewhere.data import sampling": set(),
}


@pytest.mark.parametrize("code", IMPORTS)
def test_an_import_reaches_a_module_and_the_packages_around_it(code: str, tmp_path: Path) -> None:
    files = {"step/other.py": "", "data/__init__.py": "", "data/sampling.py": "", "step/node.py": code}
    for name, text in files.items():
        (tmp_path / "pkg" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pkg" / name).write_text(text)
    assert source.reached(tmp_path / "pkg", "step.node") == {"step/node.py", *IMPORTS[code]}


COMPUTED = {
    ("methods/custom_discovery.py", "importlib.import_module(package.module)"),
    ("__init__.py", "import_module(_PLACES[name])"),
}
"""Imports of the installed package that a method's row names, whose files and release are in the fingerprint; and of
the Python interface, which no step of a cell reaches."""


def test_no_module_of_the_package_is_imported_by_a_computed_name() -> None:
    for path in source.PACKAGE.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            if (path.relative_to(source.PACKAGE).as_posix(), ast.unparse(call)) in COMPUTED:
                continue
            if ast.unparse(call.func).rpartition(".")[2] in ("import_module", "__import__"):
                (name,) = call.args
                assert isinstance(name, ast.Constant) and not str(name.value).startswith(source.PACKAGE.name), path


def test_no_step_reaches_the_python_interface() -> None:
    for start in STARTS.values():
        assert not [name for name in source.reached(source.PACKAGE, start) if name.startswith("api/")]


def test_each_step_reaches_the_code_that_computes_it() -> None:
    reached = {name: source.reached(source.PACKAGE, start) for name, start in STARTS.items()}
    assert {"training/loss.py", "training/lr_search.py", "methods/peft_quirks.py", "data/tokenize.py"} <= reached[
        "train"
    ]
    assert {"evaluation/metrics/codebleu.py", "evaluation/sandbox/launcher.py"} <= reached["score"]
    assert {"data/preprocess.py", "data/sampling.py"} <= reached["adapt"]


def test_the_kind_of_processor_counts_where_a_model_computes() -> None:
    assert [stage_of(function).device for function in (construct, train, generate)] == [True, True, True]
    assert [stage_of(function).device for function in (adapt, instruct, profile, score)] == [False] * 4


def test_comments_docstrings_and_layout_of_code_mean_nothing() -> None:
    plain = "def f(x):\n    return x + 1\n"
    assert meaning('"""Module."""\n\n\ndef f(x):  # why\n    """Adds."""\n    return (x + 1)\n') == meaning(plain)
    assert meaning("def f(x):\n    return x + 2\n") != meaning(plain)
    assert meaning('def f(x="a"):\n    return x\n') != meaning('def f(x="b"):\n    return x\n')


def test_a_row_has_the_same_hash_whatever_the_order_of_its_keys() -> None:
    assert digest({"a": 1, 0: "x"}) == digest({0: "x", "a": 1}) != digest({"a": 1, "0": "x"})


def test_a_models_folder_is_told_apart_by_names_sizes_and_content(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    (tmp_path / "config.json").write_text("{}")
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(10_000_000))
    zeros = folder_identity(tmp_path)
    path.write_bytes(bytes(9_999_999) + b"x")
    assert folder_identity(tmp_path) != zeros
    path.write_bytes(bytes(10_000_001))
    assert folder_identity(tmp_path) != zeros
    path.write_bytes(bytes(10_000_000))
    assert folder_identity(tmp_path) == zeros


def test_each_byte_of_a_model_counts_and_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "README.md", "model.safetensors"):
        (folder / name).write_bytes(bytes(5_000_000))
        os.utime(folder / name, (1, 1))
    zeros = folder_identity(folder)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(3_333_333)
        file.write(b"x")
    os.utime(folder / "model.safetensors", (1, 1))  # size and time are those of the zeros
    (folder / "README.md").write_text("a document decides nothing")
    changed = folder_identity(folder)
    assert changed != zeros
    os.utime(folder / "model.safetensors", (2, 2))
    assert folder_identity(folder) == changed
    memory = (tmp_path / "cache" / "peft_pipelines" / "hashes.json").read_text()
    assert str(tmp_path) not in memory
    monkeypatch.setattr("peft_pipelines.storage.hashes.sha256", lambda _: pytest.fail("read again"))
    assert folder_identity(folder) == changed


@pytest.mark.parametrize("memory", [b"", b"[]", b"{", b"\xff", b'{"a": 1}'])
def test_a_damaged_memory_of_hashes_is_only_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "peft_pipelines").mkdir()
    (tmp_path / "peft_pipelines" / "hashes.json").write_bytes(memory)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert folder_identity(folder) == folder_identity(folder)
