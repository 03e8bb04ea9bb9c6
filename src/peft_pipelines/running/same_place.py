"""What a worker on another machine must have in common with its run, so that it makes the same."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kedro.io import DataCatalog

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.versions import releases
from peft_pipelines.models import device
from peft_pipelines.running.source import PACKAGE, code
from peft_pipelines.running.stages import ANY, DECIDES_NOTHING
from peft_pipelines.running.units import Unit, place


@dataclass(frozen=True)
class Place:
    """The kind of device, the libraries' releases, a hash of our code, and a file of the store."""

    device: str
    releases: dict[str, str]
    code: str
    file: Path | None

    @classmethod
    def of(cls, units: Iterable[Unit], catalog: DataCatalog) -> "Place":
        """Return what this process has, for some cells whose inputs are in the store."""
        names = (name for unit in units for node in unit.nodes for name in node.inputs)
        files = (path for name in names if (path := place(catalog, name)))
        return cls(*_here(), next((path for path in files if path.exists()), None))

    def check(self) -> None:
        """Raise ConfigError where this process has something else."""
        kind, libraries, ours = _here()
        differing = [name for name in self.releases if libraries.get(name) != self.releases[name]]
        worker = f"worker on {socket.gethostname()}"
        if self.file and not self.file.exists():
            raise ConfigError(f"{worker}: does not see the store, which all nodes must share: no '{self.file}'")
        if kind != self.device:
            raise ConfigError(
                f"{worker}: computes on '{kind}', the run is planned for '{self.device}' (--runner-params=num_gpus)"
            )
        for name in differing:
            raise ConfigError(f"{worker}: has {name} {libraries.get(name)}, the run has {self.releases[name]}")
        if ours != self.code:
            raise ConfigError(f"{worker}: has other code of '{PACKAGE.name}' in '{PACKAGE}' than the run")


def _here() -> tuple[str, dict[str, str], str]:
    return device.kind(), releases(ANY.libraries), code(PACKAGE, ANY.folders, DECIDES_NOTHING)
