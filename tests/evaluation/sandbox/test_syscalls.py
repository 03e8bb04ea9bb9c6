"""The filter of system calls: what it decides on each machine, and what a program in the real sandbox meets."""

import errno
import socket
import struct

import pytest
from sandboxes import LIMITS, needs_sandbox

from peft_pipelines.evaluation.sandbox import process, syscalls
from peft_pipelines.evaluation.sandbox.run_cases import attempt

PASS, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, NO_FAMILY = (0x50000 | number for number in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT))
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
THREAD = 0x3D0F00  # flags of the C library's threads
NEW_USER, NEW_NETWORK, NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000


def decided(kind: str, number: int, first: int = 0, architecture: int | None = None) -> int:
    """What the filter answers: a small machine for the kernel's packet filters."""
    wanted = syscalls.ARCHITECTURES[kind] if architecture is None else architecture
    seen = struct.pack("=IIQ6Q", number, wanted, 0, first, 0, 0, 0, 0, 0)
    lines = list(struct.iter_unpack("=HBBI", syscalls.filter_program(kind)))
    at = register = 0
    while True:
        code, then, otherwise, value = lines[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("=I", seen, value)
        elif code == 0x06:
            return int(value)
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            at += then if holds else otherwise


@pytest.mark.parametrize(
    ("kind", "number", "first", "answer"),
    [
        ("x86_64", 0, 0, PASS),  # read
        ("x86_64", 59, 0, PASS),  # execve
        ("x86_64", 41, 1, PASS),  # socket, AF_UNIX
        ("x86_64", 41, 2, NO_FAMILY),
        ("x86_64", 41, 40, NO_FAMILY),  # AF_VSOCK
        ("x86_64", 41, 1 << 32 | 40, NO_FAMILY),  # the kernel reads the lower half
        ("x86_64", 53, 1, PASS),  # socketpair
        ("x86_64", 53, 40, NO_FAMILY),
        ("x86_64", 56, THREAD, PASS),  # clone
        ("x86_64", 56, 17, PASS),  # as a fork
        ("x86_64", 56, NEW_USER | 17, EPERM),
        ("x86_64", 56, NEW_NETWORK | 17, EPERM),
        ("x86_64", 56, NEW_MOUNTS | 17, EPERM),
        ("x86_64", 272, NEW_USER, EPERM),  # unshare
        ("x86_64", 435, 0, ENOSYS),  # clone3
        ("x86_64", 101, 0, EPERM),  # ptrace
        ("x86_64", 0x40000000 | 41, 40, EPERM),  # socket in the second table
        ("aarch64", 63, 0, PASS),  # read
        ("aarch64", 198, 1, PASS),
        ("aarch64", 198, 40, NO_FAMILY),
        ("aarch64", 199, 40, NO_FAMILY),
        ("aarch64", 220, THREAD, PASS),
        ("aarch64", 220, NEW_USER | 17, EPERM),
        ("aarch64", 97, NEW_USER, EPERM),
        ("aarch64", 435, 0, ENOSYS),
        ("aarch64", 117, 0, EPERM),
    ],
)
def test_the_filter_decides_by_number_and_first_argument(kind: str, number: int, first: int, answer: int) -> None:
    assert decided(kind, number, first) == answer


@pytest.mark.parametrize("kind", syscalls.ARCHITECTURES)
def test_a_call_of_another_machine_kills(kind: str) -> None:
    others = {X86_64, AARCH64, I386} - {syscalls.ARCHITECTURES[kind]}
    assert {decided(kind, 0, 0, other) for other in others} == {KILL}


@pytest.mark.parametrize("kind", syscalls.ARCHITECTURES)
def test_no_two_names_share_a_number(kind: str) -> None:
    own = list(syscalls.ARCHITECTURES).index(kind)
    named = {**syscalls.REFUSED, **syscalls.SOCKETS, "clone": syscalls.CLONE, "clone3": syscalls.CLONE3}
    assert len({numbers[own] for numbers in named.values()}) == len(named)


def test_a_machine_without_a_filter_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    process._rules.cache_clear()
    monkeypatch.setattr(syscalls, "machine", lambda: "riscv64")
    with pytest.raises(process.SandboxError) as error:
        attempt("print(3)", None, "", LIMITS)
    assert str(error.value) == "system calls can be filtered on x86_64, aarch64, not on 'riscv64'"


# --- in the real sandbox ---


def printed(source: str) -> list[str]:
    return attempt(source, None, "", LIMITS).output.decode().split()


CALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    value = libc.syscall(number, *map(ctypes.c_long, arguments))
    return "passed" if value >= 0 else errno.errorcode[ctypes.get_errno()]
"""


def answers(*calls: tuple[int, ...]) -> list[str]:
    return printed(CALLS + f"for one in {calls!r}:\n    print(call(*one))\n")


def number(name: str) -> int:
    """A call's number on this machine."""
    named = {**syscalls.REFUSED, **syscalls.SOCKETS, "clone": syscalls.CLONE, "clone3": syscalls.CLONE3}
    return named[name][list(syscalls.ARCHITECTURES).index(syscalls.machine())]


@needs_sandbox
def test_no_family_of_sockets_opens_but_that_between_its_own_processes() -> None:
    source = "import socket\nfor family in range(64):\n    for kind in (1, 2, 3, 5):\n        try:\n"
    source += "            socket.socket(family, kind).close()\n            print(family)\n        except OSError:\n"
    source += "            pass\n"
    assert set(printed(source)) == {str(int(socket.AF_UNIX))}


@needs_sandbox
@pytest.mark.parametrize("family", ["AF_VSOCK", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_ALG"])
def test_a_socket_of_the_family_is_unknown(family: str) -> None:
    source = f"import errno, socket\ntry:\n    socket.socket(socket.{family}, socket.SOCK_STREAM)\n    print('open')\n"
    source += "except OSError as error:\n    print(errno.errorcode[error.errno])\n"
    assert printed(source) == ["EAFNOSUPPORT"]


@needs_sandbox
def test_a_pair_of_sockets_between_its_own_processes_works() -> None:
    source = "import socket\none, other = socket.socketpair()\none.send(b'hello')\nprint(other.recv(9).decode())\n"
    assert printed(source) == ["hello"]


@needs_sandbox
@pytest.mark.parametrize("flag", [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
def test_no_namespace_is_made_inside(flag: int) -> None:
    assert answers((number("unshare"), flag), (number("clone"), flag | 17, 0, 0, 0, 0)) == ["EPERM", "EPERM"]


@needs_sandbox
def test_a_new_time_and_user_namespace_by_the_newest_call_is_unknown() -> None:
    source = CALLS + "import struct\nasked = ctypes.create_string_buffer(struct.pack('=11Q', 0x10000000, *[0] * 10))\n"
    source += f"print(call({number('clone3')}, ctypes.addressof(asked), 88))\nprint(call({number('unshare')}, 0x80))\n"
    assert printed(source) == ["ENOSYS", "EPERM"]


@needs_sandbox
@pytest.mark.parametrize("name", syscalls.REFUSED)
def test_the_call_is_refused(name: str) -> None:
    assert answers((number(name), 0, 0, 0, 0, 0)) == ["EPERM"]


@needs_sandbox
def test_its_own_child_cannot_be_read_or_steered() -> None:
    source = CALLS + "import os, time\nchild = os.fork()\nif child == 0:\n    time.sleep(9)\n"
    source += (
        f"print(call({number('ptrace')}, 16, child, 0, 0), call({number('process_vm_readv')}, child, 0, 0, 0, 0))\n"
    )
    source += "os.kill(child, 9)\n"
    assert printed(source) == ["EPERM", "EPERM"]


@needs_sandbox
def test_memory_that_nobody_is_charged_for_is_refused() -> None:
    assert answers((number("shmget"), 0, 1 << 20, 0o1600)) == ["EPERM"]


@needs_sandbox
def test_the_program_holds_no_open_file_but_its_streams() -> None:
    source = "import os\nheld = []\nfor number in range(64):\n    try:\n        os.fstat(number)\n"
    source += "        held.append(number)\n    except OSError:\n        pass\nprint(*held)\n"
    found = set(map(int, printed(source)))
    assert found >= {0, 1, 2} and len(found) <= 4  # the fourth is the launcher's way to say nothing


@needs_sandbox
def test_threads_and_further_programs_still_start() -> None:
    source = "import subprocess, sys, threading\nmade = []\none = threading.Thread(target=made.append, args=(1,))\n"
    source += "one.start()\none.join()\nsaid = subprocess.run([sys.executable, '-S', '-c', 'print(2)'], stdout=-1)\n"
    source += "print(*made, said.stdout.decode())\n"
    assert printed(source) == ["1", "2"]
