"""A grid whose runs are killed at random moments ends with the store that a run in one go makes."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from deaths import Death, Operation
from file_calls import changing
from killed import STORE, Killed, after, all_providers, at, drawn, second_of_two_renames
from light import SOURCES
from stores import RESULTS, contents, tree

IN_A_ROW = 10
"""Deaths on the way to one finished store."""

ELSEWHERE = {
    "adding.new_environment.create_all": "kedro add-task, which no run calls",
    "adding.new_environment.fill": "kedro add-task, likewise",
    "adding.new_rows.Sources.write": "kedro add-task, likewise",
    "api.saved_classifier.write": "a folder that a person names, replaced as a whole",
    "api.text_training.train_texts": "a temporary folder of the system",
    "api.trained_texts.write_files": "a temporary folder of the system",
    "api.written_rows.GridFiles.write": "files of an environment, each written as a whole",
    "board.launch.folder": "an empty folder",
    "board.launch.start": "the board's claim of what it starts; a dead owner's counts for nothing",
    "board.model_process.main": "a switch of the kernel",
    "board.queue_files._folder": "an empty folder",
    "board.queue_files.remove": "the board's queue, a file an entry, each written as a whole",
    "board.queue_files.turn": "the board's queue, likewise",
    "board.uploads": "a temporary folder of the system",
    "board.uploads.looked_at": "a temporary folder of the system",
    "board.written.write": "files of an environment, each written as a whole",
    "cli.board_command._browser": "a temporary folder of the system",
    "cli.commands._scratch": "a temporary folder of the system",
    "cli.schema_command.schema": "kedro schema, each file written as a whole",
    "cli.starter.fill": "a new project, where a person says",
    "cli.starter.make_project": "a new project, likewise",
    "config.drafted_conf.drafted": "a temporary folder of the system",
    "costs.measure._reset_peak": "a switch of the kernel",
    "data.convert.convert": "downloads, which lie beside the store",
    "data.fetch.fetch_model": "downloads",
    "data.fetch.fetch_rows": "downloads",
    "data.hub.download_model": "downloads",
    "evaluation.sandbox.launcher.main": "inside the sandbox",
    "files.atomic.creating": "new folders beside the store, all of one or nothing",
    "files.claim_file._made_without_links": "file systems without a second name of a file",
    "files.claim_file.guarded": "opens a folder, to lock it",
    "files.system.show_at": "a link in a temporary folder of the system",
    "files.system.sync": "opens what stands, to have it on the disk",
    "methods.peft_pissa.save": "the tensors of one row, in the folder that methods.peft.save writes",
    "models.folder.view": "a temporary folder of the system",
    "models.merge.merge": "the export of a model, to where a person says",
    "running.damage.Damage.put_aside": "damage, which no kill makes",
    "running.kedro_runners.forget_records": "Kedro's own runner",
    "running.report_runner.ReportRunner._fail": "errors, which no kill makes; each file is written as a whole",
    "running.report_runner.forget_failures": "Kedro's own runner",
    "running.state.State.fail": "errors, likewise",
    "serving.answer_files._write_parquet": "answers, to where a person says",
    "serving.answer_files.check_writable": "rows alone, to where their answers go, removed at once",
    "serving.answer_files.read_lines": "a temporary file of the system, with what comes through a pipe",
    "serving.export.adapter_folder.write_adapter": "the export of a cell, to where a person says",
    "serving.export.formats.write_gguf": "an export, likewise",
    "serving.export.hub_folder.hub_format.<locals>.write": "an export, likewise",
    "serving.parts.Parts.begin": "answers in parts, beside the output that a person names",
    "serving.parts.Parts.remove": "answers in parts, likewise",
    "tracking.clean_up._claimed": "kedro clean, which no run calls",
    "tracking.clean_up._remove": "kedro clean, likewise",
    "tracking.replay._configuration": "a temporary folder of the system",
    "tracking.trackers.tracked_runs.TrackedRuns.begin": "trackers, which no run of these tests has",
    "tracking.trackers.tracked_runs.TrackedRuns.end": "trackers, likewise",
    "tracking.trackers.wandb_runs.WandbRuns.__init__": "trackers, likewise",
    "tracking.trackers.wandb_runs.WandbRuns.begin": "trackers, likewise",
    "tracking.trackers.wandb_runs._add_files": "trackers, likewise",
}
"""The functions that change files and are not seen, with the reason."""

BY_THE_CLOCK = {"running.claims.Claims._touch"}
"""Seen in runs that take longer than the time between two heartbeats."""


@dataclass(frozen=True)
class Whole:
    """What a run in one go makes, and how."""

    tree: Any
    contents: dict[str, Any]
    operations: list[Operation]
    seconds: float


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return Killed(all_providers(tmp_path_factory.mktemp("killed")))


@pytest.fixture(scope="module")
def whole(killed: Killed) -> Whole:
    """A run in one go."""
    assert not killed.run(Death())
    store = killed.project.folder / STORE
    return Whole(tree(store), contents(store), killed.operations[-1], float(killed.said.splitlines()[-1]))


def kill(killed: Killed, whole: Whole, seed: int, count: int) -> None:
    """Make the store again and again under deaths that the seed draws, until there were so many."""
    draw, end = Random(seed), len(killed.deaths) + count
    while (before := len(killed.deaths)) < end:
        killed.store_aside()
        planned = drawn(draw, whole.operations, whole.seconds, min(IN_A_ROW, end - before))
        killed.until_done(planned)
        alike(killed.project.folder / STORE, whole, f"seed {seed}: {killed.deaths[before:]}")


def scripted(whole: list[Operation]) -> list[Death]:
    """Deaths behind which the next run has to clear up: each leaves what one in one go never meets."""
    data, cell = "05_model_input/mood", "/mood/lora/s0"
    indices = [
        after(whole, "03_primary/mood/adapted/RUN", ".adapted.part/adapted"),
        after(whole, f"{data}/.prompts.part/prompts", f"{data}/.state.json.part"),
        second_of_two_renames(whole, "/.best.part/best"),
        after(whole, f"06_models/tiny{cell}/checkpoint/RUN/.checkpoint.part/checkpoint", f"{cell}/.state.json.part"),
        after(whole, f"{cell}/.predictions.jsonl.part/predictions.jsonl", f"{cell}/.generation.json.part"),
        after(whole, f"{RESULTS}/RUN", f"{RESULTS}/RUN/.results.parquet.part/results.parquet"),
    ]
    return [at(whole, index) for index in sorted(indices)]


def alike(store: Path, whole: Whole, how: str) -> None:
    """The store is as the whole run's: its names, and what is in the files."""
    names, found = tree(store), contents(store)
    assert (names - whole.tree, whole.tree - names) == ({}, {}), how
    assert [name for name in whole.contents if found[name] != whole.contents[name]] == [], how


def test_killed_twenty_times_it_ends_as_in_one_go(killed: Killed, whole: Whole) -> None:
    kill(killed, whole, seed=1, count=20)


@pytest.mark.slow
def test_killed_a_hundred_times_it_ends_as_in_one_go(killed: Killed, whole: Whole) -> None:
    kill(killed, whole, seed=2, count=100)


def test_each_function_that_changes_the_store_is_seen(killed: Killed, whole: Whole) -> None:
    killed.store_aside()
    planned = scripted(whole.operations)
    begun = len(killed.deaths)
    killed.until_done(planned)
    alike(killed.project.folder / STORE, whole, str(planned))
    assert killed.deaths[begun:] == planned
    seen = {name for run in killed.operations for operation in run for name in operation.functions}
    assert changing(SOURCES / "peft_pipelines") - seen - BY_THE_CLOCK == set(ELSEWHERE)
