"""``kedro add-task``: rows become an environment, whole or not at all, and what stands already stays."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project
from project import PARAMETERS, Project, project

from peft_pipelines.config import Parameters
from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.settings import CONFIG_LOADER_ARGS

__all__ = ["project"]

AWKWARD = [
    ("the price: €5 \"net\"?\nSecond {line} ${HOME} \\${x} 'q' # no", "it's: a"),
    ("日本 🙂 naïve\u00a0", "b, {c}"),
    ("- [x] `code` \\n %TAG", "no"),
]
ROWS = [{"text": f"{text} {number}", "the team": team} for number in range(4) for text, team in AWKWARD]
TASK = ["mine", "rows.jsonl", "--input", "T: {text}\n\"${{y}}\" {{}}: 'z' \\${{x}}", "--label", "the team"]

Type = Callable[..., Result]


@pytest.fixture
def kedro(project: Project) -> Type:
    """The command in the project, whose base has the small model, beside a file of rows."""
    base = project.folder / "conf/base"
    (base / "parameters/models.yml").write_text(yaml.safe_dump({"models": PARAMETERS["models"]}))
    (base / "grid.yml").write_text("{methods: [zero_shot], models: [tiny], tasks: [sst2], seeds: [s0]}")
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    bootstrap_project(project.folder)

    def typed(*arguments: str) -> Result:
        from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

        return CliRunner().invoke(cli, ["add-task", *arguments])

    return typed


def tree() -> dict[str, bytes]:
    places = ("conf", "data", "rows.jsonl")
    files = [path for place in places for path in (Path(place), *Path(place).rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


def test_awkward_text_is_written_as_it_is_and_nothing_twice(kedro: Type) -> None:
    before = tree()
    done = kedro(*TASK, "--instruction", "Which: 'a' or \"b\"?\n{not a column} ${z}", "--word", "no=nein: {x}")
    assert done.exit_code == 0, done.output
    after = tree()
    written = {f"conf/mine/{name}" for name in ("grid.yml", "parameters.yml")}
    assert {name: text for name, text in after.items() if name in before} == before
    assert after.keys() - before.keys() == written
    loader = ConfLoader("conf", env="mine", **CONFIG_LOADER_ARGS)
    task = Parameters.of(loader["parameters"]).tasks["mine"]
    assert (task.input, task.instruction) == (TASK[3], "Which: 'a' or \"b\"?\n{not a column} ${z}")
    assert task.labels == {"b, {c}": "b, {c}", "it's: a": "it's: a", "no": "nein: {x}"}
    assert loader["globals"]["store"] == "data/mine"
    assert done.stdout.count("⟦") == 4  # the line that explains it, and three prompts
    again = kedro(*TASK)
    assert (again.exit_code, tree()) == (1, after)
    assert again.stderr == "Error: --env: 'conf/mine' is there already and stays as it is; give another --env\n"


def test_a_dry_run_prints_the_files_and_writes_none(kedro: Type, tmp_path: Path) -> None:
    before = tree()
    done = kedro(*TASK, "--test", "rows.jsonl", "--env", "other", "--dry-run")
    assert done.exit_code == 0, done.output
    assert tree() == before
    for name in ("grid.yml", "parameters.yml"):
        assert f"--- conf/other/{name}\n" in done.stdout
    assert "raw: data/01_raw/mine\n" in done.stdout
    assert done.stdout.endswith("To copy: data/01_raw/mine/train.jsonl\nTo copy: data/01_raw/mine/test.jsonl\n")


def test_what_fails_at_the_end_leaves_nothing(kedro: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    from peft_pipelines.adding import add_task  # noqa: PLC0415  (likewise)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(add_task, "fill", full)
    before = tree()
    done = kedro(*TASK, "--test", "rows.jsonl")
    assert done.exit_code == 1
    assert "No space left on device" in done.stderr
    assert tree() == before
    assert not Path("data/01_raw/mine").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Mine rows.jsonl --input {text} --label x", "NAME: must be small letters, digits and _ behind a letter"),
        ("sst2 rows.jsonl --input {text} --label x", "NAME: 'sst2' is a task already; give another name"),
        ("lora rows.jsonl --input {text} --label x", "NAME: 'lora' is a method already; give another name"),
        ("random rows.jsonl --input {text} --label x", "NAME: must not be majority or random or profiles, got 'rand"),
        ("mine rows.jsonl --input {text} --label x --env smoke", "--env: 'conf/smoke' is there already and stays"),
        ("mine rows.jsonl --input {text} --label x --env ../x", "--env: must be small letters, digits and _ behind"),
        ("mine rows.jsonl --input {text} --label x --env ''", "--env: must be small letters, digits and _ behind"),
        ("mine rows.jsonl --input {text} --label x", "--label: unknown column 'x'. Allowed: text, the team"),
        ("mine rows.jsonl --input {txt} --output {text}", "task 'mine', split 'train': unknown column 'txt', did you"),
        ("mine rows.jsonl --input {text} --output {text", "task 'mine', target: the brace at character 1 has no"),
        ("mine rows.jsonl --input {text}", "exactly one of --label and --output is needed"),
        (
            "mine rows.jsonl --input {text} --label x --word 0",
            "--word: must be VALUE=WORD, such as 0=negative",
        ),
        (
            "mine rows.jsonl --input {text} --label x --word 0=a --word 0=b",
            "--word: gives '0' two words, 'a' and 'b'",
        ),
        ("mine rows.jsonl --input {text} --label x --sep ab", "--sep: must be one character that is no letter"),
        ("mine rows.jsonl --input {text} --output {text} --metric rmse", "task 'mine', metrics: 'rmse' is for"),
        ("mine rows.jsonl --input {text} --output {text} --metric roug", "task 'mine', metrics: unknown metric 'roug'"),
        ("mine rows.jsonl --label x", "peft_pipelines add-task: Missing option '--input'"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(kedro: Type, line: str, message: str) -> None:
    before = tree()
    done = kedro(*shlex.split(line))
    assert (done.exit_code in (1, 2), done.stdout, tree()) == (True, "", before)
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
