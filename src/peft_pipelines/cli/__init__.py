"""The commands that people type: ``kedro run``, ``fetch``, ``merge``, and those on what runs have left."""

from peft_pipelines.cli.main import cli, run

__all__ = ["cli", "run"]
