"""Workers that are actors of a Ray cluster, on any number of machines that share the store."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.screen import show_line
from peft_pipelines.models import device
from peft_pipelines.running import gpus, threads
from peft_pipelines.running.crew_size import LIBRARIES, largest
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.ray_worker import RayWorker
from peft_pipelines.running.worker_process import path

CARRIED: Final = ("PEFT_", "HF_", "TRANSFORMERS_", "TOKENIZERS_")
"""How the variables begin that workers have from the run, whatever their node has."""
AUTH: Final = "RAY_AUTH_MODE"
"""The variable by which a process shows a cluster its token. Ray tells nobody whom a cluster has sent away for that."""
SECRET: Final = ("HF_TOKEN", "HF_HUB_TOKEN")
"""Those of them that stay here: a cell asks the hub for nothing, and others can read what an actor is given."""


class Actors:
    """Starts workers in a Ray cluster.

    Args:
        asked: how many workers are asked for; None for as many as the nodes have room for when the cells begin.
        num_gpus: the GPUs that each takes, or the share of one; 0 for a worker on processors.
        address: the cluster's; None for the one that Ray finds by itself, or else one of this machine alone.
    """

    option, instead, elsewhere = "--runner=RayRunner", "--runner=CellRunner needs no cluster", True

    def __init__(self, asked: int | None, num_gpus: float, address: str | None) -> None:
        self._asked, self._num_gpus, self._address = asked, num_gpus, address
        self._memory = 0

    @contextmanager
    def staffed(self, pending: list[Plan], catalog: DataCatalog) -> Iterator[int]:
        """Connect to the cluster as long as the block lasts, where there are cells to make, and yield their workers.

        Raises:
            ConfigError: there is no cluster at the address, or no node has room for a worker.
        """
        if not pending:
            yield 0
            return
        with connected(self._address) as nodes:
            size = min(len(pending), self._asked or self._fitting(nodes, pending, catalog))
            self._tell_of_waiting(nodes, size)
            yield size

    def hire(self, place: int) -> RayWorker:
        """Start an actor; it waits where there is no room for it yet."""
        share = {device.SHARE: str(max(1, int(1 / self._num_gpus)))} if self._num_gpus else {gpus.VISIBLE: ""}
        given = {**threads.environment(), **path(), **carried(os.environ), **share}
        return RayWorker(place, self._num_gpus, self._memory, given)

    def _tell_of_waiting(self, nodes: Sequence[Mapping[str, float]], size: int) -> None:
        """Say how many workers wait for nodes, since Ray does not: a node with what they take may never come."""
        cpus, share = threads.per_cell(), self._num_gpus
        there = sum(room(node, cpus, share, self._memory) for node in nodes)
        if there < size:
            gpu = f"{share:g} of a GPU" if share < 1 else f"{share:g} GPU{'s' * (share > 1)}"
            takes = f"{cpus} processor{'s' * (cpus > 1)}" + (f" and {gpu}" if share else "")
            show_line(
                f"the cluster has room for {there} of {size} workers now, the others wait for nodes: each takes {takes}"
            )

    def _fitting(self, nodes: Sequence[Mapping[str, float]], pending: list[Plan], catalog: DataCatalog) -> int:
        """The number of workers that the nodes have room for, each of which takes what the largest cell needs."""
        cpus, share = threads.per_cell(), self._num_gpus
        usable = [node for node in nodes if room(node, cpus, share, 0)]
        if not usable:
            raise ConfigError(
                f"--runner-params, num_gpus: no node of the cluster has {self._num_gpus} GPUs free for a worker; "
                "where nodes are yet to come, give --workers"
            )
        wanted = min(len(pending), sum(room(node, cpus, share, 0) for node in usable))

        def fitting(size: int) -> int:
            return sum(room(node, cpus, share, size) for node in usable)

        size = LIBRARIES if share else largest(pending, catalog, lambda size: fitting(size) >= wanted)
        most = max(int(node.get("memory", 0)) for node in usable)
        self._memory = min(size, most)  # it is an estimate: where no node has as much, the largest takes one worker
        return fitting(self._memory)


def carried(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the run that its workers have as well.

    >>> carried({"HF_HOME": "cache", "HF_TOKEN": "secret", "PATH": "bin"})
    {'HF_HOME': 'cache'}
    """
    return {name: value for name, value in environment.items() if name.startswith(CARRIED) and name not in SECRET}


def room(node: Mapping[str, float], cpus: int, gpus: float, memory: int) -> int:
    """Return the number of workers that a node takes.

    Args:
        node: its resources, as Ray names them.
        cpus: the processors that a worker takes.
        gpus: the GPUs that it takes, or the share of one. A share lies on one GPU.
        memory: the bytes that it takes of the node's own memory; 0 where they do not count.

    >>> room({"CPU": 8.0, "GPU": 2.0, "memory": 8e9}, cpus=1, gpus=0.3, memory=10**9)
    6
    >>> room({"CPU": 8.0, "memory": 8e9}, cpus=1, gpus=0, memory=3 * 10**9)
    2
    """
    fitting = int(node.get("CPU", 0.0) // cpus)
    if memory:
        fitting = min(fitting, int(node.get("memory", 0.0) // memory))
    if not gpus:
        return fitting
    number = node.get("GPU", 0.0)
    return min(fitting, int(number // gpus) if gpus >= 1 else int(number) * int(1 / gpus))


@contextmanager
def connected(address: str | None) -> Iterator[list[Mapping[str, float]]]:
    """Connect to a Ray cluster as long as the block lasts, and yield the resources of each of its nodes.

    Raises:
        ConfigError: there is none at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports to its makers
    # Who still listens to a lost worker when the run has left the cluster would have Ray start one of its own.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    import ray  # noqa: PLC0415  (an extra)

    begun = not ray.is_initialized()
    if begun:
        _init(address)
    try:
        yield [node["Resources"] for node in ray.nodes() if node["Alive"]]
    finally:
        if begun:
            ray.shutdown()


def _init(address: str | None) -> None:
    import ray  # noqa: PLC0415

    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "include_dashboard": None}
    with _same_signals():
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            silent = isinstance(error, ConnectionError) and AUTH not in os.environ
            token = f"; one that asks for a token needs {AUTH}=token here too" if silent else ""
            raise ConfigError(
                f"--runner-params, address: no Ray cluster answers, got {address}: {reason:.200}{token}"
            ) from None


@contextmanager
def _same_signals() -> Iterator[None]:
    """Keep the run's answer to SIGTERM: Ray puts its own in its place."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
