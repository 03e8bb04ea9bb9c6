"""Datasets of the catalog: everything that is written is written atomically and holds no pickle."""

from peft_pipelines.io.artifact import Artifact
from peft_pipelines.io.checkpoint import Checkpoint, CheckpointFolder, Trained
from peft_pipelines.io.rows import RowsFolder, Splits
from peft_pipelines.io.workspace import Workspace

__all__ = ["Artifact", "Checkpoint", "CheckpointFolder", "RowsFolder", "Splits", "Trained", "Workspace"]
