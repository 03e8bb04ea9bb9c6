"""Loaded by the process that runs are forked off: what each of them would do anew and that depends on no run."""

import gc

import adapters  # noqa: F401
import codecarbon  # noqa: F401
import kedro_viz.integrations.kedro.hooks  # noqa: F401
import plotly.graph_objects as go

import peft_pipelines.cli.main
import peft_pipelines.hooks
import peft_pipelines.pipelines.grid
import peft_pipelines.running.cell_runner
import peft_pipelines.running.models_check
import peft_pipelines.running.preflight
import peft_pipelines.running.summary
import peft_pipelines.tracking.stamp  # noqa: F401
from peft_pipelines.running import stages
from peft_pipelines.running.source import PACKAGE, code, reached

code(PACKAGE, stages.DECIDING, stages.DECIDES_NOTHING)
reached(PACKAGE, "hooks")
go.Figure([go.Bar(y=[1]), go.Scatter(y=[1])]).to_json()
gc.collect()
gc.freeze()
