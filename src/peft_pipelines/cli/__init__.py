"""The project's commands of ``kedro``."""

from peft_pipelines.cli.main import cli, run

__all__ = ["cli", "run"]
