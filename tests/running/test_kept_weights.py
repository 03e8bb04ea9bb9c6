"""Weights that a row does not keep: dropped once their cell is scored, and trained again only where they are needed."""

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import Project
from recorded import ids, manifest, only, read

from peft_pipelines.files.status import Status
from peft_pipelines.storage import dropped

CELL = "lora.tiny.mood.s0"
CHECKPOINT = "06_models/tiny/mood/lora/s0/checkpoint/*/checkpoint"
OUTPUT = Path("data/07_model_output/tiny/mood/lora/s0")
LEFT = {"README.md", "adapter_config.json", "dropped.json", "record.json"}


@cache
def _made(folder: Path) -> Path:
    """A project whose one cell has been run, with its weights."""
    folder.mkdir()
    project = Project(folder)
    project.method("lora")
    with chdir(folder):
        run(project)
    return folder


@cache
def _dropped(whole: Path, folder: Path) -> Path:
    """The same after a run of a row that does not keep them."""
    project = _copied(whole, folder)
    with chdir(folder):
        assert "unchanged, weights dropped" in run(project)
    return folder


def _copied(made: Path, folder: Path) -> Project:
    shutil.copytree(made, folder, copy_function=shutil.copy2)
    copied = object.__new__(Project)
    copied.folder = folder
    copied.grid = {"methods": ["lora"], "models": ["tiny"], "tasks": ["mood"], "seeds": ["s0"]}
    copied.parameters = yaml.safe_load((folder / "conf/local/parameters.yml").read_text())
    copied.parameters["methods"]["lora"]["keep_weights"] = False
    return copied


@pytest.fixture
def whole(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project with weights that its row does not keep by now, the current folder."""
    copied = _copied(_made(tmp_path_factory.getbasetemp() / "whole"), tmp_path / "whole")
    monkeypatch.chdir(copied.folder)
    monkeypatch.setenv("PEFT_DIR", str(copied.folder / "methods"))
    return copied


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project without them, the current folder."""
    made = tmp_path_factory.getbasetemp()
    copied = _copied(_dropped(_made(made / "whole"), made / "dropped"), tmp_path / "copy")
    monkeypatch.chdir(copied.folder)
    monkeypatch.setenv("PEFT_DIR", str(copied.folder / "methods"))
    return copied


def run(project: Project, *arguments: str) -> str:
    result = project.kedro("run", *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def plan(project: Project, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.kedro("plan", "--json", *arguments).stdout)
    return found


def hashes() -> dict[str, str]:
    """The recorded hashes of the checkpoint's files."""
    nodes = read(OUTPUT / "state.json")["nodes"]
    found: dict[str, str] = nodes["lora.tiny-mood-s0-train"]["sha256"]["lora.tiny-mood-s0-checkpoint"]
    return found


def versions() -> list[Path]:
    return sorted(Path("data").glob(CHECKPOINT))


def weights(folder: Path) -> list[str]:
    return sorted(dropped.weights_of(folder))


def test_the_record_the_card_and_the_scores_stay(project: Project) -> None:
    folder, metrics = only(CHECKPOINT), read(OUTPUT / "metrics.json")
    assert {path.name for path in folder.iterdir()} == LEFT
    stub = read(folder / "dropped.json")
    assert {name: file["sha256"] for name, file in stub["files"].items()} == {
        name: digest for name, digest in hashes().items() if name.endswith(".safetensors")
    }
    size = sum(file["bytes"] for file in stub["files"].values()) + (folder / "adapter_config.json").stat().st_size
    assert metrics["checkpoint_bytes"] == size
    card = " ".join((folder / "README.md").read_text().split())
    assert "This checkpoint has no weights: its weights were dropped on " in card
    assert f"kedro run --tags=cell.{CELL} --params methods.lora.keep_weights=true" in card.replace("\\", "")
    assert "How to load it" not in card
    assert "On 4 test examples:" in card
    assert (OUTPUT / "predictions.jsonl").is_file()


def test_a_run_with_nothing_changed_leaves_all_as_it_is(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in only(CHECKPOINT).iterdir()}
    said = run(project)
    assert "lora · tiny · mood · s0: accuracy" in said
    assert "unchanged" in said
    assert "dropped" not in said
    assert "put aside" not in said
    assert {path: path.stat().st_mtime_ns for path in only(CHECKPOINT).iterdir()} == before
    found = plan(project)
    assert (found["to_make"], found["each"][0]["weights_to_drop"]) == (0, False)
    assert manifest(ids()[-1])["cells"][CELL]["artifacts"]["checkpoint"]["sha256"] == hashes()


def test_scores_need_no_weights(project: Project) -> None:
    before = read(OUTPUT / "metrics.json")["checkpoint_bytes"]
    project.task["metrics"] = ["accuracy", "macro_f1"]
    assert plan(project)["each"][0]["steps"] == ["score"]
    assert "trained again" not in run(project)
    assert read(OUTPUT / "metrics.json")["checkpoint_bytes"] == before
    assert len(versions()) == 1


def test_answers_that_need_weights_train_again_and_say_so_before(project: Project) -> None:
    old, record = only(CHECKPOINT), hashes()
    project.task["max_new_tokens"] = 6
    planned = project.kedro("plan").output
    assert "1 of them trained again, since generate needs weights that were dropped." in " ".join(planned.split())
    assert plan(project)["each"][0]["steps"] == ["construct", "train", "generate", "score"]
    lines = run(project).splitlines()
    note = next(place for place, line in enumerate(lines) if "trained again" in line)
    assert lines[note] == "lora · tiny · mood · s0: trained again, since generate needs weights that were dropped"
    assert note < next(place for place, line in enumerate(lines) if line.startswith("[1/1]"))
    assert versions()[0] == old
    assert {path.name for path in versions()[1].iterdir()} == LEFT
    assert hashes()["adapter_model.safetensors"] == record["adapter_model.safetensors"]


def test_a_row_that_keeps_them_again_gets_them_again(project: Project) -> None:
    kept = "--params=raw=raw,store=data,methods.lora.keep_weights=true"
    assert plan(project, kept)["each"][0]["trained_again_since"] == "weights that were dropped are kept by now"
    assert "trained again, since weights that were dropped are kept by now" in run(project, kept)
    assert weights(versions()[1]) == ["adapter_model.safetensors"]
    assert not (versions()[1] / "dropped.json").exists()
    assert "unchanged" in run(project, kept)
    assert plan(project)["each"][0]["weights_to_drop"] is True
    assert "The weights of 1 unchanged cells are dropped" in project.kedro("plan").output
    assert "unchanged, weights dropped" in run(project)
    assert weights(versions()[1]) == []
    assert plan(project)["each"][0]["weights_to_drop"] is False


def test_a_run_without_the_training_says_what_it_lacks(project: Project) -> None:
    project.task["max_new_tokens"] = 6
    result = project.kedro("run", "--from-nodes=lora.tiny-mood-s0-generate")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "Error: lora · tiny · mood · s0: its weights were dropped on " in said
    assert "node 'lora.tiny-mood-s0-generate' needs them, and this run does not train them" in said
    assert "damage" not in said


def test_a_version_without_weights_that_is_asked_for_is_refused(project: Project) -> None:
    name, version = "lora.tiny-mood-s0-checkpoint", only(CHECKPOINT).parent.name
    project.task["max_new_tokens"] = 6
    result = project.kedro("run", f"--load-versions={name}:{version}")
    assert result.exit_code == 1
    assert f"Error: --load-versions, {name}: its weights were dropped on " in " ".join(result.output.split())


def test_a_part_of_a_cell_drops_nothing(project: Project) -> None:
    project.parameters["training"]["epochs"] = 2
    run(project, "--nodes=lora.tiny-mood-s0-construct,lora.tiny-mood-s0-train")
    assert weights(versions()[1]) == ["adapter_model.safetensors"]
    run(project, "--from-nodes=lora.tiny-mood-s0-generate")
    assert weights(versions()[1]) == ["adapter_model.safetensors"]
    run(project)
    assert weights(versions()[1]) == []


def test_merging_says_that_there_are_no_weights(project: Project) -> None:
    result = project.kedro("merge", "lora", "tiny", "mood", "s0", "--output=merged")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert f"Error: cell '{CELL}': its weights were dropped on " in said
    assert f"--tags=cell.{CELL} --params methods.lora.keep_weights=true" in said


def test_a_check_of_the_record_names_them_apart(project: Project) -> None:
    result = project.kedro("verify")
    assert result.exit_code == 0, result.output
    line = f"not checked: the weights of 1 checkpoints, which were dropped as their rows say ({CELL})"
    assert line in result.output
    (only(CHECKPOINT) / "dropped.json").unlink()
    result = project.kedro("verify")
    assert result.exit_code == 1
    assert f"checkpoint of {CELL}: adapter_model.safetensors: missing" in result.output
    assert "not checked" not in result.output


def test_a_repetition_is_compared_with_weights_that_are_gone(project: Project) -> None:
    result = project.kedro("reproduce", ids()[0])
    assert result.exit_code == 0, result.output
    row = next(line for line in result.output.splitlines() if line.startswith(f"| {CELL}"))
    assert [part.strip() for part in row.strip("|").split("|")][1:3] == ["equal", "equal"]


@pytest.mark.parametrize("change", ["of others", "half", "none"])
def test_a_stub_that_is_not_as_it_was_written_is_damage(project: Project, change: str) -> None:
    path = only(CHECKPOINT) / "dropped.json"
    text = path.read_text()
    if change == "of others":
        path.write_text(text.replace(hashes()["adapter_model.safetensors"], "0" * 64))
    elif change == "half":
        path.write_text(text[: len(text) // 2])
    else:
        path.unlink()
    said = run(project)
    named = "dropped.json cannot be read (" if change == "half" else "adapter_model.safetensors is gone"
    assert f"lora · tiny · mood · s0: {named}" in said
    assert "put aside in" in said
    assert weights(only(CHECKPOINT)) == []


class Killed(BaseException):
    """A process that ends at once."""


@pytest.mark.parametrize("step", ["write_json", "remove_dropped", "unlink"])
def test_a_process_that_dies_leaves_a_whole_one_or_a_stub(
    whole: Project, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = only(CHECKPOINT)
    with monkeypatch.context() as patch:
        if step == "unlink":
            patch.setattr(Path, "unlink", _dying(Path.unlink, lambda path: path.suffix == ".safetensors"))
        else:
            patch.setattr(dropped, step, _dying(getattr(dropped, step), lambda path: True))
        with pytest.raises(Killed):
            whole.kedro("run")
    assert weights(folder) == ["adapter_model.safetensors"]
    assert (folder / "dropped.json").exists() == (step != "write_json")
    assert plan(whole)["to_make"] == 0
    said = run(whole)
    assert "put aside" not in said
    assert "trained again" not in said
    assert {path.name for path in folder.iterdir()} == LEFT
    assert manifest(ids()[-1])["status"] == Status.DONE


def _dying(call: Callable[..., object], when: Callable[[Path], bool]) -> Callable[..., object]:
    def instead(path: Path, *arguments: Any, **options: Any) -> object:
        if when(path):
            raise Killed
        return call(path, *arguments, **options)

    return instead


def test_an_old_version_that_was_being_dropped_is_dropped_whole(project: Project) -> None:
    folder = only(CHECKPOINT)
    (folder / "adapter_model.safetensors").write_bytes(b"left")
    project.parameters["training"]["epochs"] = 2
    run(project)
    assert [weights(each) for each in versions()] == [[], []]


def test_a_training_goes_on_where_a_row_keeps_no_weights_by_now(project: Project) -> None:
    state = Path("data/06_models/tiny/mood/lora/s0/state")
    names = []
    for kept in (True, False):
        project.parameters["methods"]["lora"]["keep_weights"] = kept
        project.parameters["training"] |= {"epochs": 2, "learning_rate": 1e30}  # diverges, and leaves its state
        project.parameters["methods"]["lora"]["training"] = {"learning_rate": 1e30}
        project.kedro("run")
        names.append(sorted(path.name for path in state.iterdir()))
    assert names[0] == names[1] != []
