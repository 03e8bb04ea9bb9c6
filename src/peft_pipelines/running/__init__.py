"""How a pipeline is run: cell by cell, skipping what stands with an unchanged fingerprint."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return the runner on a Ray cluster, by the short name that ``--runner`` may give; it is heavy to import."""
    if name != "RayRunner":
        raise AttributeError(name)
    from peft_pipelines.running.ray_runner import RayRunner  # noqa: PLC0415

    return RayRunner
