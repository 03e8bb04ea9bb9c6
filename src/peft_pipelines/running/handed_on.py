"""Versions that a run hands on from node to node: what it saves or has on record, never the newest name in a folder.

Versions are named by the clock, which may be set back: then the newest name is not what was made last.
"""

import copy
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from kedro.io import AbstractVersionedDataset, DataCatalog, Version
from kedro.pipeline.node import Node

Dataset = AbstractVersionedDataset[Any, Any]


class HandedOn(Version):
    """A version that a run loads since it was made or recorded, not since it was asked for by name."""


def asked_for(dataset: object) -> bool:
    """Whether the run asks for a version of a dataset by its name (``--load-versions``)."""
    version = dataset._version if is_versioned(dataset) else None
    return bool(version and version.load) and not isinstance(version, HandedOn)


def is_versioned(dataset: object) -> TypeGuard[Dataset]:
    """Whether a dataset keeps its versions."""
    return isinstance(dataset, AbstractVersionedDataset) and bool(dataset._version)


def hand_on(catalog: DataCatalog, versions: Mapping[str, str | None]) -> None:
    """Load each dataset in its version from now on, unless the run asks for another one by name."""
    for name, version in versions.items():
        dataset = catalog.get(name)
        if version and is_versioned(dataset) and not asked_for(dataset):
            dataset._version = HandedOn(version, dataset.resolve_save_version())


def hand_on_own(catalog: DataCatalog, nodes: Iterable[Node]) -> None:
    """Load what these nodes make in the version that this run saves."""
    hand_on(catalog, to_be_saved(catalog, [name for node in nodes for name in node.outputs]))


def to_be_saved(catalog: DataCatalog, outputs: Iterable[str]) -> dict[str, str | None]:
    """Return the version in which the run saves each dataset; None for one without versions."""
    found = {name: catalog.get(name) for name in outputs}
    return {name: part.resolve_save_version() if is_versioned(part) else None for name, part in found.items()}


def stands(catalog: DataCatalog, name: str, version: str | None) -> bool:
    """Whether a dataset is on disk in a version, or in the one that the run asks for; always true for one in memory."""
    dataset = catalog.get(name)
    if not isinstance(dataset, AbstractVersionedDataset):
        return True
    if is_versioned(dataset) and not asked_for(dataset):
        dataset = copy.copy(dataset)
        dataset._version = HandedOn(version, None)
        return version is not None and dataset.exists()
    return dataset.exists() and (version is None or is_versioned(dataset))


def discard(catalog: DataCatalog, versions: Mapping[str, str | None]) -> None:
    """Remove these versions of datasets, whole or half made."""
    for name, version in versions.items():
        dataset = catalog.get(name)
        if version and is_versioned(dataset):
            shutil.rmtree(Path(dataset._get_versioned_path(version)).parent, ignore_errors=True)
