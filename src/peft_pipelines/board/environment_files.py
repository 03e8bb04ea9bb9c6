"""The files of an environment, in whatever folders they lie, and the one in which each value stands."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from pathlib import PurePath
from typing import Any, cast

from kedro.config import OmegaConfigLoader

from peft_pipelines.board.project import Project
from peft_pipelines.config.conf_files import JSON, SUFFIXES, matches, paths_of
from peft_pipelines.config.edited_yaml import Keys, edited
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.soft_merge import soft_merge
from peft_pipelines.config.strict_yaml import Document, parse

GRID, PARAMETERS, CREDENTIALS = "grid", "parameters", "credentials"
"""Kinds of files. An environment may have several of a kind, such as grid.yml, grid_more.yml and grid/a.yml."""


@dataclass(frozen=True)
class Files:
    """The files of an environment.

    Attributes:
        folder: the environment's, from the project's folder.
        patterns: by kind those that find its files.
        texts: by path in the environment's folder.
    """

    folder: str
    patterns: Mapping[str, Sequence[str]]
    texts: Mapping[str, str]

    @property
    def seen(self) -> str:
        """What tells whether the files have changed since a page was made of them."""
        return hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in self.texts.items()).encode()).hexdigest()

    def documents(self, kind: str) -> dict[str, Document]:
        """Return the content of the files of a kind, by path."""
        found = {name: text for name, text in self.texts.items() if matches(PurePath(name), self.patterns[kind])}
        return {name: parse(text.encode(), f"{self.folder}/{name}") for name, text in found.items()}

    def values(self, kind: str) -> dict[str, Any]:
        """Return what the files of a kind say together, without what the base says."""
        return reduce(soft_merge, (document.values for document in self.documents(kind).values()), {})

    def with_values(self, kind: str, values: Mapping[Keys, Any], new: str) -> "Files":
        """Return the files with some values set, each in the file in which it stands.

        One that stands nowhere goes to what is around it, else into the only file of the kind; where several could
        have it, into ``KIND.yml``.

        Args:
            kind: of the files.
            values: as for ``edited``.
            new: the first lines of a file that is made.

        Raises:
            ConfigError: several files have parts of a value, or a JSON file has it; or as of ``edited``.
        """
        files = self
        for keys, value in values.items():
            name = files._place(kind, keys)
            text = edited(files.texts.get(name, new), f"{self.folder}/{name}", {keys: value})
            files = replace(files, texts={**files.texts, name: text})
        return files

    def _place(self, kind: str, keys: Keys) -> str:
        """The path of the file in which a value is to be set."""
        depths = {name: _depth(document, keys) for name, document in self.documents(kind).items()}
        deepest = max(depths.values(), default=0)
        found = [name for name, depth in depths.items() if depth == deepest]
        key = ".".join(keys)
        if deepest == len(keys) and len(found) > 1:
            places = " and ".join(f"{self.folder}/{name}" for name in found)
            raise ConfigError(f"{places}: '{key}' is parted over these files; put it into one to change it here")
        name = found[0] if len(found) == 1 else f"{kind}.yml"
        if PurePath(name).suffix == JSON:
            raise ConfigError(f"{self.folder}/{name}: JSON is read, but not written here: change '{key}' in that file")
        return name


def files_of(project: Project, env: str) -> Files:
    """Return the files of an environment that are YAML, and the JSON files that a run reads; none if it has no folder.

    Credentials are none of them.

    Raises:
        ConfigError: one of them is no file, or cannot be read.
    """
    folder, shown, patterns = project.conf / env, f"{project.conf.name}/{env}", _patterns(project)
    paths = paths_of(folder, shown) if env in project.environments and folder.is_dir() else ()
    found = {path.relative_to(folder): path for path in paths}
    every = [pattern for each in patterns.values() for pattern in each]
    read = [name for name in found if name.suffix in SUFFIXES or matches(name, every)]
    public = [name for name in read if not matches(name, patterns[CREDENTIALS])]
    return Files(shown, patterns, {name.as_posix(): found[name].read_text(encoding="utf-8") for name in public})


@cache
def _patterns(project: Project) -> Mapping[str, Sequence[str]]:
    return cast(OmegaConfigLoader, project.loader(project.base)).config_patterns


def _depth(document: Document, keys: Keys) -> int:
    """How many of the keys that lead to a value are there."""
    return max(number for number in range(len(keys) + 1) if not number or keys[:number] in document.places)
