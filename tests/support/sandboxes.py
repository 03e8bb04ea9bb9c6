"""Whether this machine can run programs in the sandbox; tests that need it are skipped with the reason."""

import pytest

from peft_pipelines.config import ExecutionSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation import sandbox

LIMITS = ExecutionSpec(enabled=True, seconds=1, memory_mb=256, processes=4, file_mb=1, output_kb=64)


def _unusable() -> str:
    try:
        sandbox.check(LIMITS)
    except ConfigError as error:
        return str(error)
    return ""


REASON = _unusable()
needs_sandbox = pytest.mark.skipif(bool(REASON), reason=REASON)
