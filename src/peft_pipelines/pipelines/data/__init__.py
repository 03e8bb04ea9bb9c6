"""Pipeline ``data``."""

from peft_pipelines.pipelines.data.pipeline import create_pipeline

__all__ = ["create_pipeline"]
