"""Malformed inputs, tried through the command line: how a rule is written, and what must hold of each.

A rule spoils a sound project in one place. The command that is tried with it must end with one line that names the
place, the bad value and what is allowed: before any weights are read, and with nothing written but a log.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from click.testing import CliRunner, Result
from kedro.framework.project import pipelines
from kedro.framework.startup import ProjectMetadata, bootstrap_project
from project import GRID, PARAMETERS, ROOT, ROWS

from peft_pipelines.models import base_model

BOUND_EARLY = (
    *("peft", "adapters", "peft_pipelines.training.trainer"),
    *("peft_pipelines.methods.full_finetuning", "peft_pipelines.methods.custom"),
)
"""Modules that take a reader of weights by its name: imported while it is refused, they would refuse for ever."""

MODULES = ("transformers.modeling_utils.load_state_dict", "safetensors.torch.load_file")


@dataclass(frozen=True)
class Rule:
    """A way to spoil a sound project, and what the error must say.

    Args:
        name: what is wrong, in a few words; each list of rules names each of its rules once.
        spoil: is called with the project's folder, which is the current one; its value is not used.
        says: parts of the one line of the error.
        command: the command and its options.
        succeeds: the command must end well instead, and print these parts; for the neighbours of what is refused.
    """

    name: str
    spoil: Callable[[Path], object]
    says: Sequence[str]
    command: tuple[str, ...] = ("run",)
    succeeds: bool = False

    def __str__(self) -> str:
        return self.name


def nothing(folder: Path) -> None:
    """Leave the project as it is: what is wrong is the command."""


def edit(folder: Path, file: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the values of a YAML file, such as conf/local/parameters.yml; a file that is not there is empty."""
    path = folder / file
    values = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    change(values)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")


def task(folder: Path, **fields: Any) -> None:
    """Change fields of the row of the task ``mood``."""
    edit(folder, "conf/local/parameters.yml", lambda values: values["tasks"]["mood"].update(fields))


def model(folder: Path, **fields: Any) -> None:
    """Change fields of the row of the model ``tiny``."""
    edit(folder, "conf/local/parameters.yml", lambda values: values["models"]["tiny"].update(fields))


def config(folder: Path, **fields: Any) -> None:
    """Change fields of the model's config.json."""
    path = folder / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")


def method(folder: Path, name: str, **fields: Any) -> None:
    """Let the grid have one method, with some fields of its row changed."""
    edit(folder, "conf/local/grid.yml", lambda values: values.update(methods=[name]))
    edit(folder, "conf/local/parameters.yml", lambda values: values.setdefault("methods", {}).update({name: fields}))


def rows(folder: Path, split: str, content: str | bytes, suffix: str = ".jsonl") -> None:
    """Give a split of the task's raw rows another file."""
    raw = folder / "raw" / "mood"
    for path in raw.glob(f"{split}.*"):
        path.unlink()
    (raw / f"{split}{suffix}").write_bytes(content if isinstance(content, bytes) else content.encode())


@cache
def set_up() -> ProjectMetadata:
    """Set the project up, once in a process: Kedro's search for settings looks through all modules that are loaded."""
    return bootstrap_project(Path.cwd())


def kedro(*arguments: str) -> Result:
    """Run a command of the project's in this process, in the current folder."""
    from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    metadata = set_up()._replace(project_path=Path.cwd())
    pipelines.configure("peft_pipelines.pipeline_registry")  # those of the command before are not this one's
    return CliRunner().invoke(cli, list(arguments), obj=metadata)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file and folder but the logs."""
    paths = (Path(place, name) for place, folders, files in os.walk(folder) for name in folders + files)
    found = {path: path.lstat() for path in paths if path.suffix != ".log"}
    return {str(path.relative_to(folder)): (stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def tried(rule: Rule, folder: Path) -> None:
    """Spoil the project by a rule, and hold what the command does to what a rule promises."""
    rule.spoil(folder)
    before = tree(folder)
    result = kedro(*rule.command)
    if rule.succeeds:
        assert result.exit_code == 0, result.output or result.exception
        assert not [part for part in rule.says if part not in result.output], result.output
        return
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert isinstance(result.exception, SystemExit), f"a traceback: {result.exception!r}"
    assert result.exit_code != 0, "nothing was refused"
    assert len(errors) == 1 and result.output.splitlines()[-1] == errors[0], result.output
    assert not [part for part in rule.says if part not in errors[0]], errors[0]
    assert tree(folder) == before, "something was written"


def make_sound(folder: Path) -> None:
    """Make a project of a tiny model, a task of a few rows, and a grid of one cell, which runs as it is."""
    for name in ("conf", "methods"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(
        folder / "conf" / "base" / "parameters" / "tasks"
    )  # to read these takes half of the time of a command
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "src").mkdir()  # kedro looks for it; the code under test is imported already
    tiny.fresh("llama").save_pretrained(folder / "model")
    tiny.tokenizer(tiny.CHATML).save_pretrained(folder / "model")
    raw = folder / "raw" / "mood"
    raw.mkdir(parents=True)
    for split, found in (("train", ROWS), ("test", ROWS[:4])):
        (raw / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    files = {"grid": GRID, "parameters": PARAMETERS, "globals": {"raw": "raw", "store": "store"}}
    for name, values in files.items():
        (folder / "conf" / "local" / f"{name}.yml").write_text(yaml.safe_dump(values), encoding="utf-8")


@pytest.fixture(scope="session")
def sound_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one sound project that all are copies of."""
    folder: Path = tmp_path_factory.mktemp("sound") / "project"
    folder.mkdir()
    make_sound(folder)
    return folder


@pytest.fixture
def sound(sound_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound project of one's own, the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(sound_project, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PEFT_DIR", str(folder / "methods"))
    monkeypatch.setenv("KEDRO_ENV", "local")  # what a rule sets these two to is undone as well
    return folder


@pytest.fixture
def weights_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test where weights are read."""
    read: list[str] = []
    for name in BOUND_EARLY:
        import_module(name)

    def refuse(name: str) -> Callable[..., Any]:
        def loading(*_: Any, **__: Any) -> Any:
            read.append(name)
            raise AssertionError(f"{name} reads weights")

        return loading

    monkeypatch.setattr(base_model, "load", refuse("base_model.load"))
    for name in MODULES:
        monkeypatch.setattr(name, refuse(name))
    yield
    assert not read, "weights were read"
