"""The rows of the configuration as frozen, strict values: tasks, models, methods, the training protocol, the grid.

Defaults stand in the YAML rows, not here, so that a reader finds each of them once.
"""

from peft_pipelines.parsing import parse, template_fields
from peft_pipelines.specs.base import NAME_PATTERN, Spec
from peft_pipelines.specs.grid import AXES, MAJORITY, PROFILES, RANDOM, RESERVED, Cell, Grid, TuningSpec
from peft_pipelines.specs.method import Family, MethodSpec
from peft_pipelines.specs.model import HubModel, ModelSpec, PackageFile, TokenizerFix
from peft_pipelines.specs.protocol import ExecutionSpec, PscpSpec, SamplingSpec, TrainingSpec
from peft_pipelines.specs.published import PublishedSpec
from peft_pipelines.specs.rows import Rows
from peft_pipelines.specs.task import HubSource, Splits, TaskSpec

__all__ = [
    "AXES",
    "MAJORITY",
    "NAME_PATTERN",
    "PROFILES",
    "RANDOM",
    "RESERVED",
    "Cell",
    "ExecutionSpec",
    "Family",
    "Grid",
    "HubModel",
    "HubSource",
    "MethodSpec",
    "ModelSpec",
    "PackageFile",
    "PscpSpec",
    "PublishedSpec",
    "Rows",
    "SamplingSpec",
    "Spec",
    "Splits",
    "TaskSpec",
    "TokenizerFix",
    "TrainingSpec",
    "TuningSpec",
    "parse",
    "template_fields",
]
