"""Runs that the board starts and ends: processes of their own, each found again by a file that says which it is.

``.board`` in the project's folder has a claim and a log by environment. A claim appears as a whole or not at all, so of
two pages, or two boards, that start an environment at once one is refused.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Final

from peft_pipelines.board.environment_rows import rows_of
from peft_pipelines.board.project import Project
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import write_json
from peft_pipelines.files.claim_file import Holder, guarded, holder_of, made
from peft_pipelines.files.owner import Life, Owner, me, of_process
from peft_pipelines.running.progress_file import PROGRESS, RunSign, read
from peft_pipelines.tracking.runs import MANIFEST

FOLDER: Final = ".board"


def folder(project: Project) -> Path:
    """Return the folder of what the board has started; it is made where there is none."""
    found = project.root / FOLDER
    found.mkdir(exist_ok=True)
    return found


def log_of(project: Project, env: str) -> Path:
    """Return the file with what the last run that was started here has printed; it need not be there."""
    return folder(project) / f"{env}.log"


def process_of(project: Project, env: str) -> int | None:
    """Return the number of the process that was started here and still lives; None where there is none."""
    holder = holder_of(_claim(project, env))
    return holder.pid if holder and _lives(holder.owner) else None


def command(env: str, workers: int | None = None) -> list[str]:
    """Return the words behind ``kedro`` that run an environment.

    >>> command("smoke", 2)
    ['run', '--env=smoke', '--workers=2']
    """
    return ["run", f"--env={env}", *([f"--workers={workers}"] if workers else [])]


def start(project: Project, env: str, workers: int | None = None) -> int:
    """Start ``kedro run`` on an environment, as a process that outlives the board; return its number.

    Raises:
        ConfigError: it runs already, here or from a command line.
    """
    with guarded(folder(project)):
        _check_free(project, env)
        claim = _claim(project, env)
        claim.unlink(missing_ok=True)
        if not made(claim, _holder(os.getpid(), str(me()))):
            raise ConfigError(f"'{env}' is being started by another board")
        try:
            process = _begun(project, env, workers)
        except OSError:
            claim.unlink()
            raise
        write_json(claim, asdict(_holder(process.pid, str(of_process(process.pid) or ""))))
    Thread(target=process.wait, name=f"run of {env}", daemon=True).start()  # one that has ended leaves no zombie
    return process.pid


def _begun(project: Project, env: str, workers: int | None) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "kedro", *command(env, workers)]
    with log_of(project, env).open("wb") as log:
        return subprocess.Popen(
            words, cwd=project.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def stop(project: Project, env: str) -> list[int]:
    """Tell the processes that run an environment on this machine to end, as Ctrl-C does; return their numbers.

    What stands on disk stays, and the next run goes on from there.

    Raises:
        ConfigError: none runs here, or one belongs to somebody else.
    """
    found = {sign.owner: sign.pid for sign in signs(project, env)}
    holder = holder_of(_claim(project, env))
    found |= {holder.owner: holder.pid} if holder else {}
    living = [pid for owner, pid in found.items() if _lives(owner)]
    if not living:
        raise ConfigError(f"'{env}' does not run on this machine")
    for pid in living:
        with suppress(ProcessLookupError):
            try:
                os.kill(pid, signal.SIGTERM)
            except PermissionError:
                raise ConfigError(f"process {pid}, which runs '{env}', belongs to somebody else") from None
    return living


def signs(project: Project, env: str) -> list[RunSign]:
    """Return the last signs of life of an environment's runs, those of dead ones among them."""
    found = []
    for path in rows_of(project, env).runs.glob(f"*/{PROGRESS}"):
        with suppress(ValueError, OSError):
            sign = read(path.parent)
            found += [sign[0]] if sign else []
    return found


def on_record(project: Project, env: str) -> bool:
    """Return whether there is a run on record that began since something was started here last."""
    holder = holder_of(_claim(project, env))
    since = holder.since.replace(":", ".").partition("+")[0] if holder else ""  # as a run's id is written
    return any(path.parent.name >= since for path in rows_of(project, env).runs.glob(f"*/{MANIFEST}"))


def _check_free(project: Project, env: str) -> None:
    if (pid := process_of(project, env)) is not None:
        raise ConfigError(f"'{env}' runs already, as process {pid}")
    for sign in signs(project, env):
        if _lives(sign.owner):
            raise ConfigError(f"a run goes on in the store of '{env}' already: {sign}")


def _claim(project: Project, env: str) -> Path:
    return folder(project) / f"{env}.json"


def _holder(pid: int, owner: str) -> Holder:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Holder(None, socket.gethostname(), pid, owner, now, secrets.token_hex(8))


def _lives(owner: str) -> bool:
    with suppress(ValueError):
        return Owner.of(owner).life is Life.ALIVE
    return False
