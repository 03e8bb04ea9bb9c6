"""What a run is asked to do, checked by name before anything else is read: pipelines, nodes, data sets, versions."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from kedro.framework.project import pipelines as registered
from kedro.framework.session import KedroSession
from kedro.io import AbstractVersionedDataset
from kedro.pipeline import Pipeline

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.running import threads

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog

DEFAULT: Final = "__default__"


class CheckedSession(KedroSession):
    """Kedro's session, which refuses a selection of nodes or versions that names what there is not."""

    _wanted: Mapping[str, Any] | None = None

    def __init__(self, session_id: str, *arguments: Any, **named: Any) -> None:
        """Begin a session; its id, the clock's in milliseconds, gets microseconds.

        The id names the run and the versions that it makes, and tasks of a job array may begin in one millisecond.
        """
        microseconds = time.time_ns() // 1000 % 1000
        super().__init__(f"{session_id.removesuffix('Z')}{microseconds:03d}Z", *arguments, **named)

    def run(self, *arguments: Any, **wanted: Any) -> dict[str, Any]:
        """Run a pipeline.

        Raises:
            ConfigError: a pipeline, a node, a tag, a namespace, a data set or a version is unknown, or no node is left.
        """
        self._wanted = wanted
        with threads.limited():
            return super().run(*arguments, **wanted)

    def load_context(self) -> "KedroContext":
        """Return the context; of a run its selection is checked now that the pipelines are known."""
        context = super().load_context()
        if self._wanted is not None:
            selected = Selection(self._wanted)
            selected.check()
            selected.check_versions(lambda: cast("DataCatalog", context.catalog))
        return context


class Selection:
    """The nodes that a run is asked for, by the arguments of ``KedroSession.run``."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._wanted = wanted

    def _names(self, argument: str) -> list[str]:
        return list(self._wanted.get(argument) or ())

    @cached_property
    def _pipeline(self) -> Pipeline:
        return sum((registered[name] for name in self._names("pipeline_names") or [DEFAULT]), Pipeline([]))

    def check(self) -> None:
        """Raise ConfigError for the first name that is unknown, and where no node is left."""
        for name in self._names("pipeline_names"):
            if name not in registered:
                raise unknown("--pipelines", "pipeline", name, registered)
        for argument, (option, kind, known) in SELECTIONS.items():
            names = self._names(argument)
            allowed = sorted(known(self._pipeline)) if names else []
            for name in names:
                if name not in allowed:
                    raise unknown(option, kind, name, allowed)
        self._check_some_left()

    def _check_some_left(self) -> None:
        options = {option: self._names(argument) for argument, (option, _, _) in SELECTIONS.items()}
        given = {option: names for option, names in options.items() if names}
        if not given:
            return
        try:
            self._pipeline.filter(**{_FILTERS.get(name, name): self._wanted.get(name) for name in SELECTIONS})
        except ValueError:
            shown = " ".join(f"{option}={','.join(names)}" for option, names in given.items())
            reason = "no node is in all of these selections, a run has the nodes that are; leave one of them out"
            raise ConfigError(f"{shown:.300}: {reason}") from None

    def check_versions(self, catalog: "Callable[[], DataCatalog]") -> None:
        """Raise ConfigError for a version that is asked for, but of a data set that has none, or that is not there."""
        wanted = self._wanted.get("load_versions") or {}
        if not wanted:
            return
        found, loaded = catalog(), sorted(self._pipeline.datasets())
        versioned = {name: one for name in loaded if isinstance(one := found.get(name), AbstractVersionedDataset)}
        folders = {name: Path(one._filepath) for name, one in versioned.items() if one._version}
        for name, version in wanted.items():
            if name not in folders:
                raise unknown("--load-versions", "versioned data set", name, folders)
            there = sorted((path.name for path in folders[name].glob("*") if path.is_dir()), reverse=True)
            if version not in there:
                raise unknown(f"--load-versions, {name}", "version", version, there)


def _namespaces(pipeline: Pipeline) -> Iterable[str]:
    """Each namespace and those around it."""
    parts = [node.namespace.split(".") for node in pipeline.nodes if node.namespace]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)}


def _datasets(pipeline: Pipeline) -> Iterable[str]:
    """Each data set, also without the name of its view."""
    return {part for name in pipeline.datasets() for part in (name, name.partition("@")[0])}


def _nodes(pipeline: Pipeline) -> Iterable[str]:
    return {node.name for node in pipeline.nodes}


SELECTIONS: Final[dict[str, tuple[str, str, Callable[[Pipeline], Iterable[str]]]]] = {
    "tags": ("--tags", "tag", lambda pipeline: {tag for node in pipeline.nodes for tag in node.tags}),
    "node_names": ("--nodes", "node", _nodes),
    "from_nodes": ("--from-nodes", "node", _nodes),
    "to_nodes": ("--to-nodes", "node", _nodes),
    "from_inputs": ("--from-inputs", "data set", _datasets),
    "to_outputs": ("--to-outputs", "data set", _datasets),
    "namespaces": ("--namespaces", "namespace", _namespaces),
}
"""The arguments that select nodes: the option of each, what it names, and which names a pipeline has."""
_FILTERS: Final = {"namespaces": "node_namespaces"}
