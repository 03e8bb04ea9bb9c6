"""The queue: environments that are to run one after another, a file each, taken by whichever board is open."""

import time
from pathlib import Path

from peft_pipelines.board import launch
from peft_pipelines.board.project import Project
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.files.claim_file import guarded


def waiting(project: Project) -> list[str]:
    """Return the environments that wait, in their order."""
    return [env for _, env, _ in _entries(project)]


def add(project: Project, env: str, workers: int | None = None) -> None:
    """Put an environment at the end of the queue.

    Raises:
        ConfigError: it waits there already.
    """
    with guarded(_folder(project)):
        if env in waiting(project):
            raise ConfigError(f"'{env}' waits in the queue already")
        write_json(_folder(project) / f"{time.time_ns()}.json", {"env": env, "workers": workers})


def remove(project: Project, env: str) -> None:
    """Take an environment out of the queue.

    Raises:
        ConfigError: it does not wait there.
    """
    found = [path for path, name, _ in _entries(project) if name == env]
    if not found:
        raise ConfigError(f"'{env}' does not wait in the queue")
    for path in found:
        path.unlink(missing_ok=True)


def turn(project: Project) -> str | None:
    """Start the first environment of the queue, once nothing runs that a board has started; return its name."""
    with guarded(_folder(project)):
        entries = _entries(project)
        if not entries or any(launch.process_of(project, env) for env in project.environments):
            return None
        path, env, workers = entries[0]
        try:
            launch.start(project, project.environment(env), workers)
        except ConfigError as error:
            launch.log_of(project, env).write_text(f"Error: {error}\n", encoding="utf-8")
        path.unlink()  # last: a board that is killed here has it run again, which makes nothing twice
        return env


def _entries(project: Project) -> list[tuple[Path, str, int | None]]:
    found = [(path, read_json(path)) for path in sorted(_folder(project).glob("*.json"))]
    return [(path, str(entry["env"]), entry["workers"]) for path, entry in found]


def _folder(project: Project) -> Path:
    found = launch.folder(project) / "queue"
    found.mkdir(exist_ok=True)
    return found
