"""Workers that are processes of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from kedro.io import DataCatalog

from peft_pipelines.models import device
from peft_pipelines.running import gpus
from peft_pipelines.running.crew_size import crew_size
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.worker_process import WorkerProcess


class Processes:
    """Starts workers on this machine; where there are GPUs, each with one of them.

    What breaks a GPU's context breaks all later work of its process. So with a GPU there is a worker even for one cell,
    unless a number of them is asked for.

    Args:
        asked: how many workers are asked for; None for as many as the machine allows.
        per_gpu: how many of them share a GPU; None for one.
    """

    option, instead, elsewhere = "--workers", "--workers=1 starts no other process", False

    def __init__(self, asked: int | None, per_gpu: int | None) -> None:
        self._asked, self._per_gpu = asked, per_gpu
        self._gpus: list[str] = []

    @contextmanager
    def staffed(self, pending: list[Plan], catalog: DataCatalog) -> Iterator[int]:
        """Yield the number of workers; 0 for the run's own process, for which there is none to start.

        Raises:
            ConfigError: the GPUs do not take what is asked for.
        """
        self._gpus = gpus.shared_out(gpus.visible(), self._asked, self._per_gpu) if self._looks(pending) else []
        size = crew_size(len(self._gpus) or self._asked, pending, catalog)
        alone = size <= 1 and not (self._asked != 1 and pending and device.kind() == "cuda")
        yield 0 if alone else size

    def _looks(self, pending: list[Plan]) -> bool:
        """Whether GPUs matter: not where one process is asked for, which takes what it sees, nor for a single cell."""
        return self._per_gpu is not None or (self._asked != 1 and len(pending) > 1)

    def hire(self, place: int) -> WorkerProcess:
        """Start a process."""
        found = self._gpus[place] if self._gpus else None
        return WorkerProcess(place, {gpus.VISIBLE: found, device.SHARE: str(self._gpus.count(found))} if found else {})
