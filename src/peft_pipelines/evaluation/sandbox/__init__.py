"""Programs that a model wrote, run on test cases under bubblewrap. docs/execution.md lists what this keeps out."""

from peft_pipelines.evaluation.sandbox.process import SandboxError
from peft_pipelines.evaluation.sandbox.run_cases import run_cases
from peft_pipelines.evaluation.sandbox.usable import check

__all__ = ["SandboxError", "check", "run_cases"]
