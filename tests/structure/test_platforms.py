"""Modules, functions and signals that not every operating system has are used in listed places only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from light import PROJECT, SOURCES

PACKAGE = SOURCES / "peft_pipelines"
MODULES = frozenset({"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"})
OF_OS = frozenset(
    {
        *("chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "geteuid", "getgid", "getloadavg", "getpgid"),
        *("getuid", "kill", "killpg", "lchown", "memfd_create", "mkfifo", "mknod", "nice", "pidfd_open", "posix_spawn"),
        *("pread", "pwrite", "sched_getaffinity", "sched_setaffinity", "sendfile", "setgid", "setgroups", "setresgid"),
        *("setresuid", "setsid", "setuid", "statvfs", "sync", "uname", "wait", "wait4", "waitpid"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW"),
    }
)
SIGNALS = frozenset(
    {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP"),
        *("SIGUSR1", "SIGUSR2", "SIGXCPU"),
    }
)
ARGUMENTS = frozenset({"pass_fds", "preexec_fn", "start_new_session", "process_group"})

PLACES = {
    "board/launch.py": "ends processes, which every system can, and asks for a session, which Windows passes over",
    "board/model_line.py": "asks for a session, which Windows passes over",
    "data/rendering.py": "a program of its own, which goes without a limit where there is none",
    "evaluation/sandbox/launcher.py": "runs inside the sandbox, which needs Linux",
    "evaluation/sandbox/process.py": "starts the sandbox",
    "evaluation/sandbox/run_cases.py": "sets the limits of the sandbox",
    "files/machine.py": "asks whether it is there",
    "files/system.py": "the place for it",
    "running/worker_line.py": "ends its own process, which every system can",
    "running/worker_process.py": "workers, of which there are none on Windows",
}
"""Where such things stand, with the reason."""


def used(source: str) -> Iterator[str]:
    """What of a module's code not every system has."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            known = {"os": OF_OS, "signal": SIGNALS}.get(str(node.module), frozenset())
            yield from ([str(node.module)] if node.module in MODULES else [])
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = {"os": OF_OS, "signal": SIGNALS}.get(node.value.id, frozenset())
            yield from ([node.attr] if node.attr in known else [])
        elif isinstance(node, ast.keyword) and node.arg in ARGUMENTS:
            yield str(node.arg)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("from resource import setrlimit", ["resource"]),
        ("from signal import SIGHUP, SIGINT", ["SIGHUP"]),
        ("def f():\n    import pwd\n    os.fork()", ["pwd", "fork"]),
        ("run(x, start_new_session=True)", ["start_new_session"]),
        ("from .resource import a\nos.replace(a, b)\nsignal.SIGTERM", []),
    ],
)
def test_what_a_system_may_lack_is_seen(source: str, found: list[str]) -> None:
    assert list(used(source)) == found


def test_it_stands_in_the_listed_places_only() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PROJECT / "methods").rglob("*.py")]
    places = {path for path in files if list(used(path.read_text(encoding="utf-8")))}
    assert {_name(path) for path in places} == PLACES.keys()


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else PROJECT).as_posix()


def test_no_file_of_the_project_has_a_name_that_windows_refuses() -> None:
    names = [part for path in PROJECT.glob("*") for part in (path, *_inside(path))]
    assert not [path for path in names if set('<>:"\\|?*') & set(path.name) or path.name.endswith((" ", "."))]


def _inside(folder: Path) -> Iterator[Path]:
    return folder.rglob("*") if folder.name in ("conf", "docs", "methods", "src", "starter", "tests") else iter(())
