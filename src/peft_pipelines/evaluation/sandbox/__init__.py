"""Programs that a model wrote, run on test cases under bubblewrap. See docs/execution.md for what this keeps out."""

from peft_pipelines.evaluation.sandbox.judging import judge
from peft_pipelines.evaluation.sandbox.process import SandboxError
from peft_pipelines.evaluation.sandbox.usable import check

__all__ = ["SandboxError", "check", "judge"]
