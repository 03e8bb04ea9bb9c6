"""A worker: a process of a run that makes whole cells, one after another, as the run tells it to.

It ends when the run has no more cells for it, at SIGTERM, and within seconds where the run itself is gone.
"""

import gc
import logging
import os
import signal
import sys
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from kedro.framework.hooks.manager import _create_hook_manager, _NullPluginManager, _register_hooks_entry_points
from kedro.framework.hooks.markers import hook_spec
from kedro.framework.project import configure_project, settings
from pluggy import PluginManager

from peft_pipelines.files import garbage, progress
from peft_pipelines.files.system import ENDING
from peft_pipelines.running.channel import BROKEN_DEVICE, Ended, Held, Message, Order, Raised, Ready
from peft_pipelines.running.claims import of_run
from peft_pipelines.running.failures import breaks_device, traced
from peft_pipelines.running.gpus import check_seen
from peft_pipelines.running.interruption import stopping
from peft_pipelines.running.shipment import Shipment
from peft_pipelines.running.sweep import sweep_unit
from peft_pipelines.running.turns import Turns
from peft_pipelines.running.unit_runner import Outcome, UnitRunner
from peft_pipelines.running.worker_line import Line, Log, Printed, Relay


class WorkerSpecs:
    """What hooks may do in a worker, beside what Kedro lets them do."""

    @hook_spec
    def on_worker_start(self) -> None:
        """Set up the process of a worker, before its first cell, as the run's own process was set up."""


def work(line: Line) -> None:
    """Make cells until the run has no more."""
    line.send(Ready())
    shipment: Shipment | None = line.hear()
    if shipment is None:
        return
    if shipment.place:
        shipment.place.check()
    check_seen()
    shown = Relay(line)
    _log_to(line, shipment.levels)
    sys.stdout = sys.stderr = Printed(shown)
    progress.listen(shown.step, shown.log)
    hooks = _hooks(shipment)
    gc.collect()
    gc.freeze()
    with of_run(shipment.run_id) as claims:
        catalog = shipment.catalog
        units = UnitRunner(
            catalog, hooks, shipment.run_id, shipment.is_async, shown, claims, fingerprints=shipment.fingerprints
        )
        turns = Turns(units, claims, shown.note)
        while order := line.hear():
            if order.deaths:
                sweep_unit(order.unit, catalog, claims)
            line.send(_done(order, units, turns, catalog))


def _done(order: Order, units: UnitRunner, turns: Turns, catalog: Any) -> Message:
    outcomes: list[Outcome] = []
    holder = turns.claimed(
        order.unit,
        order.unit.folder(catalog),
        lambda plan, by: outcomes.append(units.outcome(plan, by)),
        order.was,
    )
    return Held(holder) if holder else Ended(outcomes[-1])


def _hooks(shipment: Shipment) -> PluginManager:
    """The run's hooks, told that this is a worker."""
    if not (shipment.plugins or shipment.entry_points):
        return _NullPluginManager()  # type: ignore[return-value]
    manager = _create_hook_manager()
    manager.add_hookspecs(WorkerSpecs)
    if shipment.package:
        configure_project(shipment.package)
    for plugin in shipment.plugins:
        manager.register(plugin)
    if shipment.entry_points:
        _register_hooks_entry_points(manager, settings.DISABLE_HOOKS_FOR_PLUGINS)
    manager.hook.on_worker_start()
    return manager


def _log_to(line: Line, levels: dict[str, int]) -> None:
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().handlers = [Log(line)]


def _sendable(error: Exception) -> Exception:
    """An error as it was raised, or in words where it cannot be sent."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # whatever a class of errors does when it is made anew
        return RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In a worker:\n{traced(error)}")
    return error


def main(descriptor: int) -> None:
    """Work for the run that holds the other end of a socket."""
    line = Line(Connection(descriptor))
    try:
        with stopping(), garbage.seldom():
            for number in set(ENDING) - {signal.SIGTERM}:  # a terminal sends them to all; the run decides
                signal.signal(number, lambda *_: None)
            work(line)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGTERM)
    except Exception as error:
        if breaks_device(error):  # it ends this process, at once: the interpreter's own end may wait for the device
            print(traced(error), file=sys.__stderr__, flush=True)
            os._exit(BROKEN_DEVICE)
        # any other ends the run, which tells it
        line.send(Raised(_sendable(error)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
