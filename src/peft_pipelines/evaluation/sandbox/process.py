"""One run of one program: bubblewrap around it, its output read up to a limit, and the end of it in any case."""

import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from time import monotonic
from typing import IO, Literal

from peft_pipelines.evaluation.sandbox import launcher, syscalls

PROGRAM = "bwrap"
LIBRARIES = ("/lib", "/lib32", "/lib64", "/bin", "/sbin")  # links into /usr on most systems
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
ENVIRONMENT = {"HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/bin", "PYTHONHASHSEED": "0"}
PYTHON_OPTIONS = ("-P", "-s", "-S", "-B", "-X", "utf8")  # the standard library only; sets in the same order each time
BLOCK = 1 << 16
USERS = range(59_000, 60_000)  # numbers that systems leave to nobody
_turn = count(os.getpid())

End = Literal["exit", "time", "flood"]


class SandboxError(RuntimeError):
    """The sandbox did not start: nothing is known of the program."""


@dataclass(frozen=True)
class Outcome:
    """Output of a program, and its end: by itself with a ``code``, out of time, or with too much output."""

    output: bytes
    end: End
    code: int


def run(job: bytes, text: bytes, seconds: float, most: int, file_bytes: int) -> Outcome:
    """Run a job for the launcher in a sandbox of its own.

    Args:
        job: as the launcher reads it.
        text: the program's standard input.
        seconds: of wall clock until it is killed.
        most: bytes of output until it is killed.
        file_bytes: what all its files together may hold.

    Raises:
        SandboxError: the program was never reached; says why.
    """
    with _file(job) as orders, _file(_rules()) as rules, _file(text) as typed, _file(b"") as log:
        process = subprocess.Popen(
            [*command(file_bytes, rules.fileno()), str(orders.fileno())],
            stdin=typed,
            stdout=subprocess.PIPE,
            stderr=log,
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=(orders.fileno(), rules.fileno()),
            start_new_session=True,
        )
        try:
            output, end = _watched(process, monotonic() + seconds, most)
        finally:
            process.kill()  # whatever runs inside dies with it
            code = process.wait()
            if process.stdout:
                process.stdout.close()
        said = os.pread(log.fileno(), BLOCK, 0)
    if not said.endswith(launcher.READY):
        lines = said.decode(errors="replace").strip().splitlines()
        raise SandboxError(lines[-1] if lines else f"{PROGRAM} ended with {code} and said nothing")
    return Outcome(output, end, code)


def _watched(process: "subprocess.Popen[bytes]", deadline: float, most: int) -> tuple[bytes, End]:
    """The output until the process ends, the deadline, or more than ``most`` bytes."""
    assert process.stdout
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - monotonic())):
                return bytes(output), "time"
            block = os.read(process.stdout.fileno(), BLOCK)
            output += block
            if len(output) > most:
                return bytes(output[:most]), "flood"
            if not block or monotonic() > deadline:
                break
    try:
        process.wait(max(0.0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        return bytes(output), "time"
    return bytes(output), "exit"


@contextmanager
def _file(content: bytes) -> Iterator[IO[bytes]]:
    """A file in memory, without a name."""
    with os.fdopen(os.memfd_create("case"), "w+b") as handle:
        handle.write(content)
        handle.flush()
        handle.seek(0)
        yield handle


@cache
def by_root() -> bool:
    """True for root where other users can be taken on.

    The kernel counts no processes of root's, not even inside a namespace. So started by root, each program becomes a
    user of its own; started by anyone else, it is a nameless one in a namespace of its own.
    """
    if os.geteuid():
        return False
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    mapped = [(int(first), int(number)) for first, _, number in map(str.split, lines)]
    return any(first <= USERS.start and USERS.stop <= first + number for first, number in mapped)


def user() -> int:
    """The user that the next program becomes, or 0 for none."""
    return USERS[next(_turn) % len(USERS)] if by_root() else 0


@cache
def _rules() -> bytes:
    if syscalls.machine() not in syscalls.ARCHITECTURES:
        known = ", ".join(syscalls.ARCHITECTURES)
        raise SandboxError(f"system calls can be filtered on {known}, not on '{syscalls.machine()}'")
    return syscalls.filter_program(syscalls.machine())


def command(file_bytes: int, rules: int) -> list[str]:
    """The command line up to the launcher's argument, with the descriptor of the filter of system calls."""
    rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if by_root() else ["--unshare-user"]
    rights += ["--seccomp", str(rules)]
    room = ["--size", str(file_bytes), "--perms", "1777", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
    return [*_inside(), *rights, *room, "--", *_python()]


@cache
def _inside() -> tuple[str, ...]:
    apart = [f"--unshare-{kind}" for kind in ("pid", "net", "ipc", "uts")]
    options = [shutil.which(PROGRAM) or PROGRAM, *apart, "--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    options += ["--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"]
    for path in map(Path, LIBRARIES):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    options += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        options += [*_folders(sys.base_prefix), "--ro-bind", sys.base_prefix, sys.base_prefix]
    options += _folders(DEVICES[0])
    for device in DEVICES:
        options += ["--dev-bind", device, device]
    return tuple(options)


def _folders(path: str) -> list[str]:
    """Make the empty folders that lead to a path; those that bubblewrap makes by itself only root can pass."""
    parents = list(Path(path).parents)[-2::-1]
    return [part for parent in parents for part in ("--perms", "0755", "--dir", str(parent))]


@cache
def _python() -> tuple[str, ...]:
    executable = str(Path(sys.executable).resolve())
    return (executable, *PYTHON_OPTIONS, "-c", Path(launcher.__file__).read_text(encoding="utf-8"))
