"""A copy of the project with a model and a task of its own, small enough to run whole through the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).parents[2]
GRID = {"methods": ["zero_shot"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
PARAMETERS: dict[str, Any] = {
    "models": {"tiny": {"folder": "model", "dtype": "float32", "chat_template": True, "licence": "-", "citation": "-"}},
    "tasks": {
        "mood": {
            "type": "sentiment classification",
            "source": {"repo": "nobody/mood"},
            "splits": {"train": "train", "test": "test"},
            "instruction": "Good or bad?",
            "input": "Sentence: {sentence}",
            "label": "label",
            "labels": {0: "bad", 1: "good"},
            "metrics": ["accuracy"],
            "max_new_tokens": 5,
            "licence": "-",
            "citation": "-",
        }
    },
    "training": {"epochs": 1, "evaluations": 1},
    "sampling": {"train_rows": None, "validation_rows": 2, "test_rows": None, "validation_share": 0.2},
}
ROWS = [{"sentence": f"line {number}", "label": number % 2} for number in range(12)]


class Project:
    """A project folder; its rows are changed before ``kedro`` writes them into the environment ``local``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.grid: dict[str, Any] = json.loads(json.dumps(GRID))
        self.parameters: dict[str, Any] = yaml.safe_load(yaml.safe_dump(PARAMETERS))
        if not (folder / "pyproject.toml").exists():  # else it is a project already
            for name in ("conf", "methods"):
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "pyproject.toml", folder)
            (folder / "src").mkdir()  # kedro looks for it; the code under test is imported already
        tiny.fresh("llama").save_pretrained(folder / "model")
        tiny.tokenizer(tiny.CHATML).save_pretrained(folder / "model")
        self.rows(train=ROWS, test=ROWS[:4])

    @property
    def task(self) -> dict[str, Any]:
        """The task's row."""
        row: dict[str, Any] = self.parameters["tasks"]["mood"]
        return row

    def rows(self, **splits: list[dict[str, Any]]) -> None:
        """Write raw rows."""
        folder = self.folder / "raw" / "mood"
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in splits.items():
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def method(self, name: str, **row: Any) -> None:
        """Use a method, with some fields of its row changed."""
        self.grid["methods"] = [name]
        self.parameters.setdefault("methods", {})[name] = row

    def write(self, environment: str) -> None:
        """Write grid and rows into an environment's folder."""
        conf = self.folder / "conf" / environment
        (conf / "grid.yml").write_text(yaml.safe_dump(self.grid))
        (conf / "parameters.yml").write_text(yaml.safe_dump(self.parameters))

    def kedro(self, command: str, *arguments: str, environment: str = "local") -> Result:
        """Run a command of the project's in this process, on rows and grid written into an environment's folder.

        The raw rows and the store are this project's, unless the arguments give ``--params``. Cells run here, where a
        test can look into them, unless they give ``--workers`` or another runner.
        """
        from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

        self.write(environment)
        bootstrap_project(self.folder)
        given = any(argument.startswith("--params") for argument in arguments)
        here = command == "run" and not any(argument.startswith(("--workers", "--runner")) for argument in arguments)
        added = [*([] if given else ["--params", "raw=raw,store=data"]), *(["--workers=1"] if here else [])]
        return CliRunner().invoke(cli, [command, *added, *arguments])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A sound project, the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "methods"))
    return Project(tmp_path)
