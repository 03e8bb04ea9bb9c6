"""A prediction in processes that die at given operations, and are followed by others until it is made."""

import os
import sys

from deaths import Death, Watch
from killed import TRACE
from processes import begun
from project import Project
from recorded import LORA

from peft_pipelines.serving import parts

ROWS, SOURCE = 2, "in.jsonl"
"""Rows of a part, and the input."""


def predict_watched(project: Project, output: str, death: Death) -> None:
    """Predict in a process of its own, until it dies or ends."""
    os.chdir(project.folder)
    os.environ["PEFT_DIR"] = str(project.folder / "methods")
    parts.ROWS = ROWS  # type: ignore[misc]
    project.write("local")
    sys.addaudithook(Watch(project.folder, death, project.folder / TRACE))
    sys.exit(project.kedro("predict", LORA, "--input", SOURCE, "--output", output).exit_code)


def ended(project: Project, output: str, death: Death) -> int | None:
    """Predict, and return how the process has ended; its operations are in the trace."""
    (project.folder / TRACE).unlink(missing_ok=True)
    process = begun(predict_watched, project, output, death)
    process.join()
    return process.exitcode
