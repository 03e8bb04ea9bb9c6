"""Drafts of an environment on disk: in a folder of their own to be checked and planned, and in the project for good."""

from dataclasses import replace

from peft_pipelines.board.environment_files import files_of
from peft_pipelines.board.environment_rows import Rows, read
from peft_pipelines.board.grid_form import Draft, name_errors
from peft_pipelines.board.project import Project
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import write_text
from peft_pipelines.files.claim_file import guarded


def check(project: Project, draft: Draft) -> Rows:
    """Read the draft as a run would, in a folder of its own, and return what its files say.

    Raises:
        ConfigError: a file, a row or the grid is not as it must be.
    """
    with drafted(project.conf, draft.name, draft.texts) as conf:
        found = read(replace(project, source=conf), draft.name)
    found.parameters.check(found.grid)
    return found


def write_seen(project: Project, draft: Draft, env: str, seen: str) -> list[str]:
    """Write a draft of an environment as it was seen; one page at a time, of whichever board.

    Args:
        project: the project.
        draft: made of the files of an environment.
        env: that environment, which may have another name than the draft.
        seen: of the files that the page has shown.

    Raises:
        ConfigError: the files have changed since, the draft's name was taken meanwhile, or as of ``write``.
    """
    with guarded(project.conf):
        if seen != files_of(project, env).seen:
            raise ConfigError(f"the files of '{env}' have changed since this page was loaded; reload it first")
        for _, taken in name_errors(project, env, draft.name):
            raise ConfigError(taken)
        return write(project, draft)


def write(project: Project, draft: Draft) -> list[str]:
    """Write a draft into the project; return the paths of its files, from the project's folder.

    Raises:
        ConfigError: a file that changes lies in a folder that is linked from elsewhere, where others may read it too.
    """
    folder = project.conf / draft.name
    texts = {folder / name: text for name, text in draft.texts.items()}
    changed = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        if not (place := path.parent.resolve()).is_relative_to(folder.resolve()):
            shown = path.relative_to(project.conf.parent).as_posix()
            raise ConfigError(f"{shown}: lies in '{place}', a folder that is linked here, so no page changes it")
    for path in changed:
        write_text(path, texts[path])
    return [(folder / name).relative_to(project.root).as_posix() for name in draft.texts]
