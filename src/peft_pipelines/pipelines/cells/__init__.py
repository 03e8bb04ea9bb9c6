"""Pipeline ``cells``."""

from peft_pipelines.pipelines.cells.pipeline import create_pipeline

__all__ = ["create_pipeline"]
