"""What every worker of a run gets once: all that a cell is made with, as the run's own process has it."""

import logging
from dataclasses import dataclass
from io import BytesIO
from multiprocessing.reduction import ForkingPickler
from typing import Any

from kedro.framework import project
from kedro.io import DataCatalog
from pluggy import PluginManager

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.fingerprint import Fingerprints
from peft_pipelines.running.same_place import Place
from peft_pipelines.running.staff import Staff


@dataclass(frozen=True)
class Shipment:
    """The catalog, the hooks and what is known already.

    ``plugins`` hold the hooks, ``entry_points`` says whether installed packages bring others, ``levels`` are those of
    the loggers, by name. ``place`` is what a worker on another machine must have in common with the run.
    """

    package: str | None
    catalog: DataCatalog
    plugins: list[Any]
    entry_points: bool
    run_id: str | None
    is_async: bool
    fingerprints: Fingerprints
    levels: dict[str, int]
    place: Place | None = None


def shipment_of(
    catalog: DataCatalog,
    hooks: PluginManager | None,
    run_id: str | None,
    is_async: bool,
    fingerprints: Fingerprints,
) -> Shipment:
    """Return what the workers of a run get. Hooks of installed packages are not sent: a worker finds them itself."""
    plugins = list(hooks.get_plugins()) if isinstance(hooks, PluginManager) else []
    found = [plugin for plugin, _ in hooks.list_plugin_distinfo()] if isinstance(hooks, PluginManager) else []
    installed = [plugin for plugin in plugins if plugin in found]
    loggers = {name: logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)}
    return Shipment(
        project.PACKAGE_NAME,
        catalog,
        [plugin for plugin in plugins if plugin not in installed],
        bool(installed),
        run_id,
        is_async,
        fingerprints,
        {name: logger.level for name, logger in loggers.items() if logger.level},
    )


class _Pickler(ForkingPickler):
    """Sends the catalog of a session, to whose class Kedro adds commands for notebooks, as what it was before."""

    def reducer_override(self, value: object) -> Any:
        """Return how a value is made anew."""
        if not isinstance(value, DataCatalog):
            return NotImplemented
        kind = next(each for each in type(value).__mro__ if each.__module__ != "abc")
        return bare, (kind,), vars(value)


def pickled(shipment: Shipment, staff: Staff) -> bytes:
    """Return it as it is sent.

    Args:
        shipment: what is sent.
        staff: where those come from that get it, for errors.

    Raises:
        ConfigError: a part of it cannot be sent.
    """
    sent = BytesIO()
    try:
        _Pickler(sent).dump(shipment)
    except Exception as error:  # an object that cannot be sent may raise anything
        raise ConfigError(
            f"{staff.option}: what a cell is made of cannot be sent to another process: {error}; {staff.instead}"
        ) from error
    return sent.getvalue()


def bare(kind: type[Any]) -> Any:
    """Return an object without its state, which is put into it afterwards."""
    return object.__new__(kind)
