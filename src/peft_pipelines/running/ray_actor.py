"""An actor of a Ray cluster: it starts a worker on its node, and hands on what the worker and its run say."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from peft_pipelines.running.worker_process import WorkerProcess


class CellActor:
    """A worker on a node of a cluster.

    The worker is the same process as on one machine. It ends where this actor ends, however that comes.

    Args:
        place: its number among the workers that run side by side.
        environment: the run's variables, for the worker.
        folder: the folder to work in.
    """

    def __init__(self, place: int, environment: Mapping[str, str], folder: Path) -> None:
        self._worker = WorkerProcess(place, environment, folder)

    def hear(self) -> Iterator[bytes | tuple[str, str]]:
        """Yield the worker's messages, as they are sent; at its end how it came, and what the worker said last."""
        try:
            while True:
                yield self._worker.line.recv_bytes()
        except (EOFError, OSError):
            pass
        yield self._worker.gone(), self._worker.said

    def tell(self, message: bytes) -> None:
        """Hand a message on to the worker."""
        self._worker.send(message)

    def end(self) -> None:
        """Order the worker to end."""
        self._worker.terminate()
