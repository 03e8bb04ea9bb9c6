"""A tiny grid of all providers, run in processes that die and are followed by others until all is made."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import process_time

import deaths
from deaths import DEADLY, Death, Operation, Watch
from processes import begun
from project import Project

METHODS = {
    "lora": {},
    "prefix_tuning": {},
    "bitfit": {},
    "sequential_bottleneck": {},
    "adalora": {
        "provider": "hf_peft",
        "type": "ADALORA",
        "family": "reparameterised",
        "config": {"init_r": 6, "target_r": 2, "deltaT": 1, "target_modules": ["q_proj", "v_proj"]},
        "training": {"learning_rate": 0.02},
        "citation": "-",
    },
    "galore": {
        "optimizer": {"type": "galore_adamw", "rank": 4, "update_proj_gap": 2, "scale": 0.25},
        "keep_weights": False,
    },
    "mpt_multitask": {
        "train_on": ["mood", "taste"],
        "config": {"num_virtual_tokens": 4, "num_tasks": 2, "num_ranks": 1, "prompt_tuning_init": "RANDOM"},
    },
}
STORE, TRACE, OUT = "data", "trace.jsonl", "out.txt"


def all_providers(folder: Path) -> Project:
    """A project whose grid has a method of each provider and two learning rates a cell; a training saves twice.

    One row keeps no weights.
    """
    project = Project(folder)
    project.rows(train=[{"sentence": f"line {number}", "label": number % 2} for number in range(14)])
    shutil.copytree(folder / "raw/mood", folder / "raw/taste")
    tasks = project.parameters["tasks"]
    tasks["taste"] = {**tasks["mood"], "source": {"repo": "nobody/taste"}, "instruction": "Sweet or sour?"}
    project.parameters["methods"] = {name: row for name, row in METHODS.items() if row}
    project.parameters["training"] = {"epochs": 1, "batch_size": 4, "evaluations": 2}
    project.grid |= {"methods": list(METHODS), "lr_search": {"factors": [0.5, 2.0]}}
    return project


def run_watched(project: Project, death: Death) -> None:
    """Run the grid in a process of its own, until it dies or ends; keep what it says."""
    os.chdir(project.folder)
    os.environ["PEFT_DIR"] = str(project.folder / "methods")
    began = process_time()
    sys.addaudithook(Watch(project.folder / STORE, death, project.folder / TRACE))
    result = project.kedro("run")
    (project.folder / OUT).write_text(f"{result.output}\n{process_time() - began}\n")
    sys.exit(result.exit_code)


@dataclass
class Killed:
    """What has happened to a project: the deaths in their order, and each run's operations."""

    project: Project
    deaths: list[Death] = field(default_factory=list)
    operations: list[list[Operation]] = field(default_factory=list)

    def run(self, death: Death) -> bool:
        """Run until the process dies or ends; return whether it has died. AssertionError where it fails."""
        trace = self.project.folder / TRACE
        trace.unlink(missing_ok=True)
        process = begun(run_watched, self.project, death)
        process.join()
        self.operations.append(deaths.read(trace))
        assert process.exitcode in (0, *DEADLY), (self.deaths, self.said)
        if process.exitcode:
            self.deaths.append(death)
        return bool(process.exitcode)

    def store_aside(self) -> None:
        """Begin anew in an empty store; the one that stands is kept."""
        kept = len(list(self.project.folder.glob(f"{STORE}*")))
        (self.project.folder / STORE).rename(self.project.folder / f"{STORE}{kept}")

    @property
    def said(self) -> str:
        """What the last run that came to an end has printed."""
        return (self.project.folder / OUT).read_text()

    def until_done(self, planned: list[Death]) -> None:
        """Run with one death after another, and then without, until a run comes to its end."""
        for death in [*planned, Death()]:
            if not self.run(death):
                return


def drawn(draw: Random, whole: list[Operation], seconds: float, count: int) -> list[Death]:
    """Deaths in the order of a whole run: each second one at an operation on files, half of those within a file."""
    indices = sorted(draw.sample(range(len(whole)), count))
    each = seconds / count
    return [
        Death(seconds=draw.uniform(0, 2 * each)) if number % 2 else at(whole, index, draw.choice([None, size(draw)]))
        for number, index in enumerate(indices)
    ]


def size(draw: Random) -> int:
    """A number of bytes that most files of the store go beyond."""
    return draw.randrange(4000)


def at(whole: list[Operation], index: int, size: int | None = None) -> Death:
    """The death before one of the operations of a whole run."""
    place = whole[index].place
    return Death(place, sum(operation.place == place for operation in whole[: index + 1]), size)


def after(whole: list[Operation], done: str, then: str) -> int:
    """The first operation on a path behind the last one on another, both given by how they end."""
    last = max(index for index, operation in enumerate(whole) if operation.path.endswith(done))
    return next(index for index in range(last + 1, len(whole)) if whole[index].path.endswith(then))


def second_of_two_renames(whole: list[Operation], path: str) -> int:
    """The first operation that puts a new folder where an old one has just been moved away."""
    renames = [index for index, operation in enumerate(whole) if operation.event == "os.rename"]
    return next(index for index in renames if index - 1 in renames and whole[index].path.endswith(path))
