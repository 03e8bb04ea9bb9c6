"""The report's nodes one after another: what fails is written down, what can do without it goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro.pipeline.node import Node

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.atomic import read_json, write_json, write_text
from peft_pipelines.files.attempts import handing_on
from peft_pipelines.running.failures import Failure, traced
from peft_pipelines.running.state import remove
from peft_pipelines.running.units import place


class InputsLost(Exception):
    """A node was not run, since a node before it failed."""


def failed_parts(catalog: DataCatalog) -> list[dict[str, Any]]:
    """Return the entries of the parts of the report that failed in the last run of it."""
    record = record_of(catalog)
    try:
        found: list[dict[str, Any]] = read_json(record)
        return found if isinstance(found, list) else []
    except (FileNotFoundError, ValueError):  # a damaged one is written anew with each report
        return []


def lost(failed: list[dict[str, Any]]) -> set[str]:
    """Return the names of the datasets that the failed nodes were to make.

    >>> sorted(lost([{"part": "", "lost": ["ranks", "rank_plot"]}, {"part": "tiny", "lost": []}]))
    ['rank_plot', 'ranks']
    """
    return {name for entry in failed for name in entry["lost"]}


def forget_failures(catalog: DataCatalog) -> None:
    """Remove what an earlier run wrote down of failed parts."""
    record = record_of(catalog)
    record.unlink(missing_ok=True)
    record.with_suffix(".log").unlink(missing_ok=True)


class ReportRunner:
    """Runs the nodes of the report, each within its own border.

    Before the first node, all outputs of the nodes are removed, so that nothing of an earlier run is read as today's.
    A node that raises costs its outputs; ``attempt`` inside a node costs only that part of its output. A node whose
    input is lost still runs where the catalog calls the input ``optional`` (it is loaded as None), and is skipped
    otherwise. Each failure is added at once to the dataset ``failed_parts`` and to the log beside it.

    Args:
        catalog: the run's catalog.
        execute: loads a node's inputs, calls it and saves its outputs.
        begin: is called with the name of each node before it runs.
        failed: is called with each failure when it happens.
    """

    def __init__(
        self,
        catalog: DataCatalog,
        execute: Callable[[Node], None],
        begin: Callable[[str], None],
        failed: Callable[[Failure], None],
    ) -> None:
        self._catalog, self._execute, self._begin, self._failed = catalog, execute, begin, failed
        path = record_of(catalog)
        self._record, self._log = path, path.with_suffix(".log")
        self._entries: dict[str, dict[str, Any]] = {}
        self._failures: dict[str, Failure] = {}
        self._lost: set[str] = set()

    def run(self, nodes: list[Node]) -> list[Failure]:
        """Run the nodes, given in an order that their data allow, and return what failed.

        Nodes that read ``failed_parts`` come last. When one of them fails, those before it run again to name it.
        """
        self._clear(nodes)
        readers = [node for node in nodes if names.FAILED_PARTS in node.inputs]
        for node in nodes:
            if node not in readers:
                self._node(node)
        known = {}
        for node in readers:
            known[node.name] = len(self._failures)
            self._node(node)
        for node in readers:
            if known[node.name] < len(self._failures) and self._lost.isdisjoint(node.outputs):
                self._node(node)
        return list(self._failures.values())

    def _clear(self, nodes: list[Node]) -> None:
        """Remove the nodes' outputs and records; what failed in nodes that do not run now stays on record."""
        for node in nodes:
            self._remove_outputs(node)
        run = {node.name for node in nodes}
        before = [entry for entry in failed_parts(self._catalog) if entry["node"] not in run]
        self._entries = {entry["title"]: entry for entry in before}
        if not before:
            self._log.unlink(missing_ok=True)
        self._write()

    def _node(self, node: Node) -> None:
        self._begin(node.name)
        missing = [name for name in node.inputs if name in self._lost and not self._optional(name)]
        try:
            if missing:
                raise InputsLost(f"needs {', '.join(missing)}, which could not be made")
            with handing_on(lambda part, error: self._fail(node, part, error)):
                self._execute(node)
        except Exception as error:  # one node's error, whatever it is, must not cost the others
            self._lost.update(node.outputs)
            self._remove_outputs(node)
            self._fail(node, "", error)

    def _fail(self, node: Node, part: str, error: Exception) -> None:
        title = f"{node.name}, {part}" if part else node.name
        if title in self._failures:  # a node that ran again
            return
        self._failures[title] = failure = Failure.of(title, error, self._log)
        lost = [] if part else list(node.outputs)
        self._entries[title] = {"title": title, "node": node.name, "part": part, "lost": lost, **failure.entry()}
        before = self._log.read_text(encoding="utf-8") if self._log.is_file() else ""
        write_text(self._log, f"{before}{title}\n{traced(error)}\n")
        self._write()
        self._failed(failure)

    def _write(self) -> None:
        write_json(self._record, list(self._entries.values()))

    def _optional(self, name: str) -> bool:
        return bool(getattr(self._catalog.get(name), "optional", False))

    def _remove_outputs(self, node: Node) -> None:
        for name in node.outputs:
            remove(self._catalog, name)


def record_of(catalog: DataCatalog) -> Path:
    """Return the path of the dataset that names the failed parts of the report.

    Raises:
        ConfigError: the catalog has no such file.
    """
    path = place(catalog, names.FAILED_PARTS) if names.FAILED_PARTS in catalog else None
    if path is None:
        raise ConfigError(f"catalog.yml: dataset '{names.FAILED_PARTS}' must be a file, what failed is listed there")
    return path
