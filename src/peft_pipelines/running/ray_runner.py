"""The runner of a grid on many machines: cells in actors of a Ray cluster, all else in the run's own process."""

from importlib.util import find_spec
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import device
from peft_pipelines.running.cell_runner import CellRunner
from peft_pipelines.running.ray_actors import Actors


class RayRunner(CellRunner):
    """Runs a pipeline as CellRunner does, but makes the cells in actors of a Ray cluster.

    This process plans, compares fingerprints, has lost cells made again, and reports. A worker, or a node, that is lost
    costs the cell that it was making, which is made again. All nodes must see the store under the same path, and have
    the same code and libraries.

    Args:
        is_async: whether inputs are loaded, and outputs saved, in threads.
        workers: how many actors there are; None for as many as the nodes have room for when the cells begin.
        num_gpus: the GPUs that each takes: 0 for cells on processors, 0.25 for four workers on each GPU.
        address: the cluster's; None for the one that Ray finds by itself, or else one of this machine alone.

    Raises:
        ConfigError: Ray is not installed.
    """

    def __init__(
        self,
        is_async: bool = False,
        workers: int | None = None,
        num_gpus: float = 0,
        address: str | None = None,
    ) -> None:
        if find_spec("ray") is None:
            raise ConfigError("--runner: 'RayRunner' needs Ray, which is not installed: pip install -e '.[ray]'")
        super().__init__(is_async)
        self._staff = Actors(workers, num_gpus, address)
        self._device = "cuda" if num_gpus else "cpu"

    def _run(self, *arguments: Any, **named: Any) -> None:
        with device.planned(self._device):
            super()._run(*arguments, **named)
