"""Methods that learn several tasks at once: rows marked, one task a batch, each asked with its own part."""

import re
from pathlib import Path

import base_rows
import pytest
import tiny
import torch
from kedro.config import OmegaConfigLoader
from project import ROWS, Project, project  # noqa: F401
from small_trainings import mean_loss

from peft_pipelines.config import Grid, Parameters
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.batching import Batches
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.pipelines.grid import load_grid, load_together, pipelines_of
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.shortcuts import Shortcuts

NAME = "mpt_multitask"
TASKS = list(tiny.METHODS[NAME].train_on or ())


def test_a_batch_holds_rows_of_one_kind_and_all_kinds_take_turns() -> None:
    batches = Batches([3] * 7, 2, seed=0, bucketed=True, tasks=[0, 0, 0, 1, 1, 1, 1])
    found = list(batches)
    assert len(found) == len(batches) == 4
    assert sorted(row for batch in found for row in batch) == list(range(7))
    assert all(len({row > 2 for row in batch}) == 1 for batch in found)


def test_each_task_has_a_part_of_its_own() -> None:
    attached = tiny.stir(tiny.attach(NAME, "llama"))
    assert attached.select
    tokens, answers = tiny.ids(12, rows=2), []
    for task in range(3):
        attached.select(task)
        answers.append(tiny.logits(attached.plain, tokens))
    assert not any(torch.allclose(answers[0], other, atol=1e-3) for other in answers[1:])


def test_short_cuts_are_exact_for_each_task() -> None:
    attached = tiny.stir(tiny.attach(NAME, "llama"))
    rows = [Encoded([9, 9, 9, *tiny.ids(5 + n, seed=n)[0].tolist()], [7, 8], False, task=2) for n in range(3)]
    plain = tiny.training_args(packed_batches=False, shared_prefix=False, label_positions_only=False)
    losses = []
    for training_args in (tiny.training_args(), plain):
        model = LabelLogits(attached, Shortcuts.of(attached, training_args), prefix=[9, 9, 9])
        losses.append(mean_loss(model, collate(rows, pad=257)).item())
        assert attached.select
        attached.select(0)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_loaded_one_knows_all_tasks(tmp_path: Path) -> None:
    attached = tiny.stir(tiny.attach(NAME, "llama"))
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(tiny.base("llama")), tiny.METHODS[NAME], tmp_path)
    for each in (attached, loaded):
        assert each.select
        each.plain.eval()
        each.select(1)
    tokens = tiny.ids(12, rows=2)
    assert torch.equal(tiny.logits(loaded.plain, tokens), tiny.logits(attached.plain, tokens))


def test_the_pipeline_reads_the_rows_of_all_tasks() -> None:
    grid = Grid(methods=[NAME, "lora"], models=["m"], tasks=["sst2"], seeds=["s0"])
    whole = pipelines_of(grid, {NAME: TASKS})["benchmark"]
    nodes = {node.name: node for node in whole.nodes}
    assert {f"{task}_prompts" for task in TASKS} <= set(nodes[f"{NAME}.m-sst2-s0-train"].inputs)
    assert {f"{task}-adapt" for task in TASKS} <= nodes.keys()
    assert {name for name in nodes["lora.m-sst2-s0-train"].inputs if name.endswith("_prompts")} == {"sst2_prompts"}


def test_the_rows_say_which_methods_learn_together() -> None:
    loader = OmegaConfigLoader(str(base_rows.PROJECT / "conf"), base_env="base", default_run_env="all_methods")
    loader.config_patterns["grid"] = ["grid*"]
    assert load_together(loader, load_grid(loader)) == {NAME: TASKS}


@pytest.mark.parametrize(
    ("train_on", "message"),
    [
        (["sst2", "colla"], "train_on: unknown task 'colla', did you mean 'cola'?"),
        (["sst2"], "must name each task of the grid, got sst2 without 'wsc'"),
    ],
)
def test_what_is_learnt_must_be_rows_and_hold_the_grids_tasks(train_on: list[str], message: str) -> None:
    loader = OmegaConfigLoader(str(base_rows.PROJECT / "conf"), base_env="base", default_run_env="base")
    parameters = dict(loader["parameters"])
    parameters["methods"] = {NAME: {**parameters["methods"][NAME], "train_on": train_on}}
    with pytest.raises(ConfigError, match=re.escape(message)):
        Parameters.of(parameters).check(
            Grid(methods=[NAME], models=["smollm2_135m"], tasks=["sst2", "wsc"], seeds=["s0"])
        )


def test_a_cell_of_several_tasks_runs(project: Project) -> None:  # noqa: F811
    other = {**project.task, "instruction": "Is it good?"}
    project.parameters["tasks"]["other"] = other
    (project.folder / "raw" / "other").mkdir(parents=True)
    for path in (project.folder / "raw" / "mood").iterdir():
        (project.folder / "raw" / "other" / path.name).write_text(path.read_text())
    config = {"num_virtual_tokens": 4, "num_tasks": 2, "num_ranks": 1, "prompt_tuning_init": "RANDOM"}
    project.method(NAME, config=config, train_on=["other", "mood"])
    done = project.kedro("run")
    assert done.exit_code == 0, done.output
    assert f"{NAME} · tiny · mood · s0" in done.output
    record = next(project.folder.glob(f"data/06_models/tiny/mood/{NAME}/s0/checkpoint/*/*/record.json"))
    assert f'"train": {2 * (len(ROWS) - 2)}' in record.read_text()
