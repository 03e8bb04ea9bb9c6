"""The workers of a run: started, told what to make, heard, replaced when they die, and ended."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from time import monotonic
from typing import Self

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.channel import (
    Ended,
    Held,
    Logged,
    Message,
    Noted,
    Order,
    Raised,
    Ready,
    Shown,
)
from peft_pipelines.running.claims import POLL
from peft_pipelines.running.display import Lines
from peft_pipelines.running.lost_cell import Lost
from peft_pipelines.running.shipment import Shipment, pickled
from peft_pipelines.running.staff import Errand, Staff, Worker
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit

DEATHS = 3
"""Workers that a cell may cost before it counts as failed; and that may end before their first cell."""
PARTING = 3.0
"""Seconds that workers have to end when they are told to: less than the run has itself."""


class Crew:
    """Workers that make cells side by side.

    Args:
        size: how many there are.
        staff: where they come from.
        shipment: what each of them gets first.
        shown: the run's display.
        lost: is called with a cell that has cost too many of them.
    """

    def __init__(self, size: int, staff: Staff, shipment: Shipment, shown: Lines, lost: Lost) -> None:
        self._size, self._staff, self._shown, self._lost_cell = size, staff, shown, lost
        self._shipment, self._run_id = pickled(shipment, staff), shipment.run_id
        self._workers: list[Worker] = []
        self._waiting: deque[Errand] = deque()
        self._stillborn = 0

    def __enter__(self) -> Self:
        self._workers = [self._staff.hire(place) for place in range(self._size)]
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        """End all workers: at once where an error or a signal has ended the run."""
        for worker in self._workers:
            if kind:
                worker.terminate()
            else:
                worker.send(None)
        until = monotonic() + PARTING
        for worker in self._workers:
            worker.gone(until - monotonic())

    @property
    def at(self) -> str:
        """What is under way, in words; empty for nothing."""
        busy = [(worker.errand.unit.title, worker.phase) for worker in self._workers if worker.errand]
        return ", ".join(f"{title} ({phase})" if phase else title for title, phase in busy)

    def outcomes(self, units: Iterable[Unit]) -> Iterator[tuple[Unit, Outcome]]:
        """Have cells made, in this order as workers are free, and yield each with its outcome.

        Raises:
            ConfigError: workers cannot be started.
            Exception: what has ended a worker and would end each other one too.
        """
        self._waiting.extend(Errand(unit) for unit in units)
        while self._waiting or any(worker.errand for worker in self._workers):
            yield from self._give_up()
            self._hand_out()
            ready = wait([worker.line for worker in self._workers], POLL)
            for worker in [worker for worker in self._workers if worker.line in ready]:
                yield from self._hear(worker)

    def _hand_out(self) -> None:
        now = monotonic()
        for worker in self._workers:
            due = next((errand for errand in self._waiting if errand.due <= now and errand.deaths < DEATHS), None)
            if due and worker.ready and not worker.errand:
                self._waiting.remove(due)
                worker.errand = due
                worker.send(Order(due.unit, due.was, due.deaths))

    def _hear(self, worker: Worker) -> Iterator[tuple[Unit, Outcome]]:
        try:
            message: Message = worker.line.recv()
        except (EOFError, OSError):
            self._died(worker)
            return
        match message:
            case Ready():
                worker.ready, self._stillborn = True, 0
                worker.send(self._shipment)
            case Shown(call, arguments):
                worker.phase = arguments[0] if call == "phase" else worker.phase
                getattr(self._shown, call)(*arguments, worker.place)
            case Noted(line):
                self._shown.note(line)
            case Logged(record):
                logging.getLogger(record.name).handle(record)
            case Held(holder):
                errand = self._free(worker)
                errand.was, errand.due = holder, monotonic() + POLL
                self._waiting.append(errand)
            case Ended(outcome):
                yield self._free(worker).unit, outcome
            case Raised(error):
                raise error

    def _free(self, worker: Worker) -> Errand:
        errand = worker.errand
        assert errand is not None, "only a worker with a cell in hand speaks of one"
        worker.errand, worker.phase = None, ""
        self._shown.begin("", worker.place)
        return errand

    def _died(self, worker: Worker) -> None:
        """Put another worker in its place, and have its cell made again, unless it has cost too many."""
        how, said, phase = worker.gone(), worker.said, worker.phase
        errand = self._free(worker) if worker.errand else None
        self._workers[self._workers.index(worker)] = self._staff.hire(worker.place)
        if errand is None:
            self._check_alive(worker, how, said)
            return
        errand.deaths, errand.end = errand.deaths + 1, (phase, how, said)
        self._waiting.appendleft(errand)
        if errand.deaths < DEATHS:
            where = f"{errand.unit.title}: its process was ended ({how}{f', in {phase}' if phase else ''})"
            self._shown.note(f"{where}, the cell is made again")

    def _give_up(self) -> Iterator[tuple[Unit, Outcome]]:
        """Have cells recorded as failed that have cost too many workers, unless another run has them by now.

        A claim of this run that still stands is the dead worker's, on another machine: it is waited for.
        """
        for errand in [each for each in self._waiting if each.deaths >= DEATHS and each.due <= monotonic()]:
            self._waiting.remove(errand)
            found = self._lost_cell(errand.unit, *errand.end)
            if isinstance(found, Outcome):
                yield errand.unit, found
                continue
            errand.was, errand.due = found, monotonic() + POLL
            errand.deaths *= found.run_id == self._run_id
            self._waiting.append(errand)

    def _check_alive(self, worker: Worker, how: str, said: str) -> None:
        self._stillborn += not worker.ready
        if self._stillborn >= DEATHS:
            last = f": {said.splitlines()[-1]:.200}" if said else ""
            raise ConfigError(
                f"{self._staff.option}: {DEATHS} processes have ended before their first cell ({how}{last}); "
                f"{self._staff.instead}"
            )
