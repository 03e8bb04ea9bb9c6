"""The workers of a run: started, told what to make, heard, replaced when they die, and ended."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
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
from peft_pipelines.running.shipment import Shipment, pickled
from peft_pipelines.running.unit_runner import Outcome
from peft_pipelines.running.units import Unit
from peft_pipelines.running.worker_process import Errand, WorkerProcess, part

DEATHS = 3
"""Processes that a cell may cost before it counts as failed; and that may end before their first cell."""
PARTING = 3.0
"""Seconds that workers have to end when they are told to: less than the run has itself."""

Lost = Callable[[Unit, str, str, str], Outcome | None]
"""Records a cell that has cost too many processes: the cell, the node that ran, how the last of them ended, and what it
said; None where another run has it by now."""


class Crew:
    """Workers that make cells side by side.

    Args:
        size: how many there are.
        shipment: what each of them gets first.
        shown: the run's display.
        lost: is called with a cell that has cost too many of them.
    """

    def __init__(self, size: int, shipment: Shipment, shown: Lines, lost: Lost) -> None:
        self._size, self._shown, self._lost_cell = size, shown, lost
        self._shipment = pickled(shipment)
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[Errand] = deque()
        self._stillborn = 0

    def __enter__(self) -> Self:
        self._workers = [WorkerProcess(place) for place in range(self._size)]
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        """End all workers: at once where an error or a signal has ended the run."""
        for worker in self._workers:
            if kind:
                worker.terminate()
            else:
                worker.send(None)
        part(self._workers, PARTING)

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
            self._hand_out()
            ready = wait([worker.line for worker in self._workers], POLL)
            for worker in [worker for worker in self._workers if worker.line in ready]:
                yield from self._hear(worker)

    def _hand_out(self) -> None:
        for worker in self._workers:
            due = next((errand for errand in self._waiting if errand.due <= monotonic()), None)
            if due and worker.ready and not worker.errand:
                self._waiting.remove(due)
                worker.errand = due
                worker.send(Order(due.unit, due.was, due.deaths))

    def _hear(self, worker: WorkerProcess) -> Iterator[tuple[Unit, Outcome]]:
        try:
            message: Message = worker.line.recv()
        except (EOFError, OSError):
            yield from self._died(worker)
            return
        match message:
            case Ready():
                worker.ready = True
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

    def _free(self, worker: WorkerProcess) -> Errand:
        errand = worker.errand
        assert errand is not None, "only a worker with a cell in hand speaks of one"
        worker.errand, worker.phase = None, ""
        self._shown.begin("", worker.place)
        return errand

    def _died(self, worker: WorkerProcess) -> Iterator[tuple[Unit, Outcome]]:
        """Put another worker in its place, and have its cell made again, unless it has cost too many."""
        how, said, phase = worker.gone(), worker.said, worker.phase
        errand = self._free(worker) if worker.errand else None
        self._workers[self._workers.index(worker)] = WorkerProcess(worker.place)
        if errand is None:
            self._check_alive(worker, how, said)
            return
        errand.deaths += 1
        where = f"{errand.unit.title}: its process was ended ({how}{f', in {phase}' if phase else ''})"
        if errand.deaths < DEATHS:
            self._shown.note(f"{where}, the cell is made again")
            self._waiting.appendleft(errand)
        elif outcome := self._lost_cell(errand.unit, phase, how, said):
            yield errand.unit, outcome
        else:
            errand.deaths = 0
            self._waiting.append(errand)

    def _check_alive(self, worker: WorkerProcess, how: str, said: str) -> None:
        self._stillborn += not worker.ready
        if self._stillborn >= DEATHS:
            last = f": {said.splitlines()[-1]:.200}" if said else ""
            raise ConfigError(
                f"--workers: {DEATHS} processes have ended before their first cell ({how}{last}); "
                "--workers=1 starts no other process"
            )
