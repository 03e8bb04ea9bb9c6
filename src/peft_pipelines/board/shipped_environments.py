"""The environments that came with the project, so that a page says so before it changes one."""

from itertools import chain, count
from pathlib import PurePath

from peft_pipelines.board.project import Project
from peft_pipelines.config.conf_files import SUFFIXES
from peft_pipelines.files.shipped import CONF, OF_ONE_MACHINE, shipped
from peft_pipelines.tracking.environment import git


def came_along(project: Project) -> set[str]:
    """Return the names of the environments that came with a project.

    They are those that a new project is filled with. Where the project is itself the folder that new ones are filled
    from, a checkout, they are those of which git has a file on record: none where git is not used there, since nothing
    else tells them from the user's own.
    """
    source = shipped() / CONF
    if source.resolve() == project.conf.resolve():
        found = (git(source, "ls-files", "-z") or "").split("\0")
    else:
        found = [path.relative_to(source).as_posix() for path in source.rglob("*")]
    paths = [PurePath(each) for each in found]
    return {path.parts[0] for path in paths if path.suffix in SUFFIXES and len(path.parts) > 1} - {OF_ONE_MACHINE}


def own_name(project: Project, env: str) -> str:
    """Return a free name to save an environment under that came with the project; empty for any other environment."""
    if env not in came_along(project):
        return ""
    first = f"my_{env}"
    names = chain([first], (f"{first}_{number}" for number in count(2)))
    return next(name for name in names if not (project.conf / name).exists())
