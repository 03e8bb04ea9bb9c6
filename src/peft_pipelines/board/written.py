"""Drafts of an environment on disk: in a folder of their own to be checked and planned, and in the project for good."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from peft_pipelines.board.environment_rows import Rows, read
from peft_pipelines.board.grid_form import Draft
from peft_pipelines.board.project import Project
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import write_text


@contextmanager
def tried(project: Project, draft: Draft) -> Iterator[Path]:
    """Yield a folder of configuration in which the draft stands in place of its environment, for a block.

    All other environments are links to the project's own, and so are files of the environment that no page writes.
    """
    with tempfile.TemporaryDirectory(prefix="board-") as scratch:
        conf = Path(scratch, project.conf.name)
        conf.mkdir()
        for path in project.conf.iterdir():
            if path.name != draft.name:
                (conf / path.name).symlink_to(path.resolve())
        folder, now = conf / draft.name, project.conf / draft.name
        folder.mkdir()
        own = {path.relative_to(now).as_posix(): path for path in now.rglob("*") if path.is_file()}
        for name in {**draft.texts, **own}:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name in draft.texts:
                (folder / name).write_text(draft.texts[name], encoding="utf-8")
            else:
                (folder / name).symlink_to(own[name].resolve())
        yield conf


def check(project: Project, draft: Draft) -> Rows:
    """Read the draft as a run would, in a folder of its own, and return what its files say.

    Raises:
        ConfigError: a file, a row or the grid is not as it must be.
    """
    with tried(project, draft) as conf:
        found = read(replace(project, source=conf), draft.name)
    found.parameters.check(found.grid)
    return found


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
