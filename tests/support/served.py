"""A server in a process of its own on the store of a tiny project, and what it says."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from processes import begun

SECONDS = 300
"""For a server to begin or to end, on a busy machine."""


@dataclass
class Served:
    """A server that has begun."""

    address: str
    process: ForkServerProcess
    out: Path

    def interrupted(self) -> int | None:
        """Press Ctrl-C; return the exit code."""
        os.kill(self.process.pid or 0, signal.SIGINT)
        self.process.join(SECONDS)
        return self.process.exitcode


def run_server(folder: Path, out: Path, words: list[str]) -> None:
    """Run a command on the project in a folder; what it prints goes into a file."""
    os.chdir(folder)
    os.environ["PEFT_DIR"] = str(folder / "methods")
    with out.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from kedro.framework.startup import bootstrap_project  # noqa: PLC0415

    from peft_pipelines.cli.main import cli  # noqa: PLC0415  (as kedro does: behind the project's set-up)

    bootstrap_project(folder)
    cli.main([*words, "--env=local", "--params", "raw=raw,store=data"])
    sys.exit()


@contextmanager
def served(folder: Path, out: Path, *words: str) -> Iterator[Served]:
    """Run ``kedro serve`` with these words on a free port, and yield the server once it listens."""
    process = begun(run_server, folder, out, ["serve", *words, "--port=0"])
    until = time.monotonic() + SECONDS
    try:
        while not (found := re.search(r"^http://.*/v1$", out.read_text() if out.is_file() else "", re.MULTILINE)):
            assert process.is_alive() and time.monotonic() < until, out.read_text()
            time.sleep(0.2)
        yield Served(found[0], process, out)
    finally:
        process.kill()
        process.join()
