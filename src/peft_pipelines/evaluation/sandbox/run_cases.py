"""Programs on their test cases: each case in a sandbox of its own, as many at a time as there are cores."""

import marshal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from peft_pipelines.config import ExecutionSpec
from peft_pipelines.evaluation.metrics.pass_rate import Cases
from peft_pipelines.evaluation.sandbox.process import Outcome, by_root, run, user
from peft_pipelines.files.machine import free_cores

KB, MB = 1 << 10, 1 << 20
OPEN_FILES = 64
OUT_OF_TIME = (128 + 24, 128 + 9)
"""The exit codes of what Linux ends by SIGXCPU and by SIGKILL."""


def run_cases(programs: Sequence[tuple[str, Cases]], limits: ExecutionSpec) -> list[list[bool]]:
    """Run programs on their test cases; of each the cases that it gets right, in their order.

    A program that runs out of time or prints too much gets no further cases: they count as wrong.

    Raises:
        SandboxError: a sandbox did not start.
    """
    with ThreadPoolExecutor(free_cores()) as pool:
        return list(pool.map(lambda program: passed(program[0], program[1], limits), programs))


def passed(source: str, cases: Cases, limits: ExecutionSpec) -> list[bool]:
    """Run one program on its cases: whether it gets each right. It sees a case's input and never its output."""
    found = []
    for number, given in enumerate(cases.inputs):
        outcome = attempt(source, cases.function, given, limits)
        right = outcome.end == "exit" and outcome.code == 0
        found.append(right and cases.holds(number, outcome.output.decode(errors="replace")))
        if outcome.end != "exit" or outcome.code in OUT_OF_TIME:
            break
    return found + [False] * (len(cases.inputs) - len(found))


def attempt(source: str, function: str | None, given: Any, limits: ExecutionSpec) -> Outcome:
    """Run a program once: with a text as its standard input, or for one call of the function."""
    job = {
        "source": source,
        "function": function,
        "arguments": None if function is None else given,
        "limits": resources(limits),
        "user": user(),
    }
    text = given.encode(errors="replace") if function is None else b""
    wall = 2 * limits.seconds + 1
    return run(marshal.dumps(job), text, wall, limits.output_kb * KB, limits.file_mb * MB)


def resources(limits: ExecutionSpec) -> dict[int, int]:
    """Limits of the kernel, by the numbers of the module ``resource``."""
    import resource  # noqa: PLC0415  (not there on Windows, where nothing is run)

    init = 0 if by_root() else 1  # bubblewrap's own process in the namespace is counted too
    return {
        resource.RLIMIT_AS: limits.memory_mb * MB,
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_NPROC: limits.processes + init,
        resource.RLIMIT_FSIZE: limits.file_mb * MB,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
