"""The rows of the configuration as frozen, strict values: tasks, models, methods, the training arguments, the grid.

Defaults stand in the YAML rows, not here, so that a reader finds each of them once.
"""

from peft_pipelines.config.grid import AXES, Cell, Grid, LrSearchSpec
from peft_pipelines.config.method import Family, MethodSpec
from peft_pipelines.config.model import HubModel, ModelSpec, PackageFile, TokenizerFix
from peft_pipelines.config.parameters import Parameters, with_names
from peft_pipelines.config.parsing import parse
from peft_pipelines.config.published import PublishedSpec
from peft_pipelines.config.run_settings import EnergySpec, ExecutionSpec, PscpSpec, SamplingSpec
from peft_pipelines.config.spec import NAME_PATTERN, Spec
from peft_pipelines.config.split_names import HubSource, Splits
from peft_pipelines.config.task import TaskSpec
from peft_pipelines.config.template import fill, template_fields
from peft_pipelines.config.training import TrainingSpec

__all__ = [
    "AXES",
    "NAME_PATTERN",
    "Cell",
    "EnergySpec",
    "ExecutionSpec",
    "Family",
    "Grid",
    "HubModel",
    "HubSource",
    "LrSearchSpec",
    "MethodSpec",
    "ModelSpec",
    "PackageFile",
    "Parameters",
    "PscpSpec",
    "PublishedSpec",
    "SamplingSpec",
    "Spec",
    "Splits",
    "TaskSpec",
    "TokenizerFix",
    "TrainingSpec",
    "fill",
    "parse",
    "template_fields",
    "with_names",
]
