"""The one function that makes a task of a file of rows: for the command line, and for whoever has no command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kedro.framework.project import settings

from peft_pipelines.adding.made_task import make, prompter_of
from peft_pipelines.adding.new_environment import Base, Place, create_all, fill, read_back, texts
from peft_pipelines.adding.new_rows import RowFiles, sources_of
from peft_pipelines.adding.task_report import TaskReport, report
from peft_pipelines.data.new_task import Wanted


@dataclass(frozen=True)
class AddedTask:
    """A new task, in an environment that runs it.

    Attributes:
        env: the environment's name.
        files: by path from the project's folder the texts of the environment's files.
        copied: the paths from there of the rows that are copied; empty where rows stay where they are.
        report: what to know of the task, and three of its prompts.
    """

    env: str
    files: Mapping[str, str]
    copied: tuple[str, ...]
    report: TaskReport


def add_task(
    project: Path, wanted: Wanted, given: RowFiles, env: str | None = None, *, write: bool = True
) -> AddedTask:
    """Make a task and its environment; nothing that exists is changed, and what fails leaves nothing.

    The base's first model, whose tokens are counted, is downloaded if it is not there yet.

    Args:
        project: the folder of a project that Kedro has set up (``bootstrap_project``).
        wanted: what the user says of the task.
        given: the files of its rows.
        env: the environment's name; the task's if None.
        write: whether to write; otherwise the files are only returned.

    Raises:
        ConfigError: a name is taken or is none, a file cannot be read, or its rows do not hold what the user says.
        OSError: the disk refuses a file.
    """
    with settings.SESSION_CLASS.create(project, env=settings.CONFIG_LOADER_ARGS["base_env"]) as session:
        base = Base.of(session.load_context())
    place = Place(wanted.name, wanted.name if env is None else env, base)
    place.check()
    sources = sources_of(wanted.name, given, base.project)
    if sources.copied:
        place.check_free("NAME", sources.place)
    model = base.rows.models[base.grid.models[0]]
    made = make(wanted, sources, base.rows, model, prompter_of(model, base.rows, base.catalog, base.project))
    files = texts(place, made.row, made.longest)
    read_back(files, place, made.task)
    if write:
        rows = {base.project / sources.place: sources.write} if sources.copied else {}
        create_all({**rows, place.folder: lambda folder: fill(folder, files)})
    shown = place.folder.relative_to(base.project)
    return AddedTask(
        place.env,
        {(shown / name).as_posix(): text for name, text in files.items()},
        tuple(f"{sources.place}/{name}" for name in sources.copied),
        report(made, model.name),
    )
