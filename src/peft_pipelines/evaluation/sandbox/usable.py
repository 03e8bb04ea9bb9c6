"""Check that this machine can run programs in the sandbox, by running some."""

import platform
import shutil

from peft_pipelines.config import ExecutionSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.sandbox.process import PROGRAM, SandboxError
from peft_pipelines.evaluation.sandbox.run_cases import attempt
from peft_pipelines.files.system import LINUX

GET_IT = "get it by 'apt install bubblewrap' or 'dnf install bubblewrap'"
FORKS = """
import os, time
made = 0
try:
    for _ in range(int(input())):
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except OSError:
    print("refused after", made)
"""


def check(limits: ExecutionSpec) -> None:
    """Raise ConfigError where bubblewrap is missing, cannot run a trivial program, or does not hold its limits."""
    where = "execution, enabled: must be false on this machine, got true"
    if not LINUX:
        raise ConfigError(f"{where}: the sandbox needs Linux, and this is {platform.system()}")
    if not shutil.which(PROGRAM):
        raise ConfigError(f"{where}: bubblewrap ({PROGRAM}) is not installed; {GET_IT} (Linux only)")
    try:
        greeted = attempt("print(input())", None, "hello\n", limits)
        forked = attempt(FORKS, None, f"{limits.processes + 1}\n", limits)
    except SandboxError as error:
        raise ConfigError(f"{where}: bubblewrap cannot start a program: {error}; see docs/execution.md") from None
    if greeted.output != b"hello\n":
        raise ConfigError(f"{where}: a trivial program failed in the sandbox ({greeted.end}, code {greeted.code})")
    if not forked.output.startswith(b"refused"):
        raise ConfigError(f"{where}: the limit of processes does not hold here; see docs/execution.md")
