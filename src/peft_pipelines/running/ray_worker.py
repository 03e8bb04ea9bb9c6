"""A worker in an actor of a Ray cluster, as its run sees it."""

from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from threading import Thread
from typing import Any

from peft_pipelines.running import threads
from peft_pipelines.running.ray_actor import CellActor
from peft_pipelines.running.staff import DYING, Errand
from peft_pipelines.running.worker_process import path

LOST = "lost with its actor or node"
"""How a worker has ended where nobody is left to tell."""


class RayWorker:
    """A worker in an actor. What the actor streams comes out of ``line``, as if the worker were a process here.

    Args:
        place: its number among the workers that run side by side.
        num_gpus: the GPUs that it takes, or the share of one.
        memory: the bytes of its node's memory that Ray sets aside for it; 0 for none.
        environment: the run's variables, for the worker.
    """

    def __init__(self, place: int, num_gpus: float, memory: int, environment: dict[str, str]) -> None:
        import ray  # noqa: PLC0415  (an extra)

        self.place, self.ready = place, False
        self.errand: Errand | None = None
        self.phase = self.said = ""
        self._how = LOST
        self.line, self._heard = Pipe(duplex=False)
        made = ray.remote(concurrency_groups={"heard": 1, "told": 1})(CellActor)
        self._actor = made.options(
            num_cpus=threads.per_cell(),
            num_gpus=num_gpus,
            memory=memory or None,
            max_restarts=0,  # the run has the cell made again, and counts
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": path()},  # else it does not find this module
        ).remote(place, environment, Path.cwd())
        self._hearing = Thread(target=self._hear, name=f"worker {place}", daemon=True)
        self._hearing.start()

    def send(self, message: Any) -> None:
        """Tell it something; one that has died will be found so."""
        sent = message if isinstance(message, bytes) else bytes(ForkingPickler.dumps(message))
        self._actor.tell.options(concurrency_group="told").remote(sent)

    def terminate(self) -> None:
        """Order it to end."""
        self._actor.end.remote()

    def gone(self, patience: float = DYING) -> str:
        """Wait for its end some seconds, end its actor, and return how the worker came to its end."""
        import ray  # noqa: PLC0415

        self.line.close()
        self._hearing.join(max(0.0, patience))
        ray.kill(self._actor)
        return self._how

    def _hear(self) -> None:
        import ray  # noqa: PLC0415
        from ray.exceptions import RayError  # noqa: PLC0415

        with self._heard:
            try:
                for each in self._actor.hear.options(num_returns="streaming", concurrency_group="heard").remote():
                    self._heard_one(ray.get(each))
            except RayError as error:  # the actor has died, or could not begin
                self.said = str(error)

    def _heard_one(self, message: bytes | tuple[str, str]) -> None:
        if isinstance(message, tuple):
            self._how, self.said = message
        else:
            with suppress(OSError):  # the run listens no more
                self._heard.send_bytes(message)
