"""Ray clusters of some small nodes on this machine, and the processes of a cell on them."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # as a run has it before it imports Ray, which tests do first
NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@contextmanager
def cluster() -> Iterator[Any]:
    """A cluster of three nodes, two of which have a processor each; the head has none, so that no test ends it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster  # noqa: PLC0415  (an extra)

    made = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
    try:
        for _ in range(2):
            made.add_node(**NODE)
        yield made
    finally:
        made.shutdown()


def workers(store: Path) -> set[int]:
    """The processes that hold cells of a store now; none of them this one."""
    found = set()
    for folder, _, files in os.walk(store):  # which takes it that folders vanish meanwhile, as rglob does not
        if "claim.json" not in files:
            continue
        try:
            found.add(int(json.loads(Path(folder, "claim.json").read_text())["pid"]))
        except (FileNotFoundError, ValueError):
            continue  # released just now, or being written
    return found - {os.getpid()}


def kill_node(worker: int) -> None:
    """Kill the node above a worker, as a loss of power does. Ray's own processes on it then see that it is dead."""
    raylet = next(each.pid for each in psutil.Process(worker).parents() if "raylet" in each.name())
    os.kill(raylet, signal.SIGKILL)
    os.waitpid(raylet, 0)  # this process has begun the cluster; a child that nobody waits for counts as alive
