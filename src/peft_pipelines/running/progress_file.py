"""How far a run is, on disk: written by the run's own process while it goes on, and read by ``kedro watch``."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from kedro.io import DataCatalog
from pydantic import BaseModel, ValidationError

from peft_pipelines.files import names
from peft_pipelines.files.atomic import scratch_prefix
from peft_pipelines.files.owner import Life, Owner, me
from peft_pipelines.running.claims import SILENCE
from peft_pipelines.running.run_progress import RunProgress, Snapshot

PROGRESS = "progress.json"
OFTEN, SELDOM = 1.0, 5.0
"""Seconds between two looks at a run, and without a change until it is written nevertheless, as a sign of life."""


class RunSign(BaseModel):
    """How far a run is, and whose: its id, its machine's name, its process, and the process's name as an owner."""

    run_id: str
    host: str
    pid: int
    owner: str
    progress: Snapshot

    def __str__(self) -> str:
        return f"run {self.run_id} on {self.host} (process {self.pid})"

    def dead(self, silent: float) -> bool:
        """Whether the run's process has ended without a word.

        Of a process on this machine that is known; of another one it is concluded from its silence.

        Args:
            silent: seconds since the last sign of life.
        """
        with suppress(ValueError):
            life = Owner.of(self.owner).life
            if life is not Life.ELSEWHERE:
                return life is Life.DEAD
        return silent > SILENCE


def read(folder: Path) -> tuple[RunSign, float] | None:
    """Return a run's last sign of life and the seconds since then; None where the run's folder has none.

    The seconds are by the clocks of this machine and of the one that holds the disk.

    Raises:
        ValueError: the file is none that a run has written.
    """
    try:
        with (folder / PROGRESS).open("rb") as file:
            written = os.fstat(file.fileno()).st_mtime
            return RunSign.model_validate_json(file.read()), max(0.0, time.time() - written)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise ValueError(f"{PROGRESS} of run '{folder.name}' is damaged ({where}: {first['msg']})") from None


def remove(folder: Path) -> None:
    """Remove a run's sign of life, and those of dead runs that began before it: the record has what they have made."""
    (folder / PROGRESS).unlink(missing_ok=True)
    for path in folder.parent.glob(f"*/{PROGRESS}"):
        with suppress(ValueError):  # of a damaged one kedro watch tells
            found = read(path.parent)
            if found and path.parent.name < folder.name and found[0].dead(found[1]):
                path.unlink(missing_ok=True)


@contextmanager
def on_disk(progress: RunProgress, run_id: str | None, catalog: DataCatalog) -> Iterator[None]:
    """Write how far a run is into its folder as long as the block lasts; a run that has no folder writes nothing.

    What is written last stays until the run is on record: the report's tables are still to be printed.
    """
    runs = catalog.get(names.RUNS) if names.RUNS in catalog else None
    folder = Path(runs._describe()["filepath"], run_id) if runs and run_id else None
    if not (folder and folder.is_dir()):
        yield
        return
    ended = threading.Event()
    written = threading.Thread(target=_write, args=(progress, folder, ended), name="progress", daemon=True)
    written.start()
    try:
        yield
    finally:
        ended.set()
        written.join()


def _write(progress: RunProgress, folder: Path, ended: threading.Event) -> None:
    before, last, over = None, 0.0, False
    while True:
        now = progress.now()
        shown = [now.done, now.failed, [each.model_dump(exclude={"seconds"}) for each in now.doing]]
        if shown != before or time.monotonic() - last > SELDOM:
            before, last = shown, time.monotonic()
            with suppress(OSError):  # a disk that is full ends the run elsewhere, if it must
                write(folder, now)
        if over:
            return
        over = ended.wait(OFTEN)  # and once more at the end


def write(folder: Path, progress: Snapshot) -> None:
    """Write a run's sign of life. It is not synced to the disk: what is lost with the machine is of no use."""
    sign = RunSign(run_id=folder.name, host=socket.gethostname(), pid=os.getpid(), owner=str(me()), progress=progress)
    path = folder / PROGRESS
    scratch = path.with_name(f"{scratch_prefix(path)}{uuid4().hex}.part")
    scratch.write_text(sign.model_dump_json(indent=2) + "\n", encoding="utf-8")
    os.replace(scratch, path)
