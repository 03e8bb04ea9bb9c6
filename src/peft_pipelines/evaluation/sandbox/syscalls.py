"""The filter of system calls that the kernel holds a program to, as the bytes that bubblewrap takes.

What a program on test cases needs passes; what reaches other machines, the kernel's inner parts or other processes
does not. Numbers are those of the kernel's tables for x86_64 and aarch64.
"""

import errno
import platform
import socket
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's names of the machines that the filter knows (``AUDIT_ARCH_…``)."""

REFUSED = {
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272)},
    **{"pidfd_getfd": (438, 438), "move_pages": (279, 239), "perf_event_open": (298, 241), "bpf": (321, 280)},
    **{"userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426)},
    **{"io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)},
    **{"mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428)},
    **{"move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432)},
    **{"fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268)},
    **{"name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262)},
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273)},
    **{"delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142)},
    **{"acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116), "personality": (135, 92)},
    **{"settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266)},
    **{"sethostname": (170, 161), "setdomainname": (171, 162)},
    **{"shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190)},  # memory that no limit of a process counts
}
"""By name the numbers on the two machines of calls that are always refused."""
SOCKETS = {"socket": (41, 198), "socketpair": (53, 199)}
"""These pass for sockets between processes of the sandbox: no address of a network, no virtual machine's host."""
CLONE, CLONE3 = (56, 220), (435, 435)
NAMESPACES = 0x7E020000  # CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET

_X32 = 0x40000000  # from here on x86_64 has its calls a second time
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # bytes into what the kernel shows the filter
_LOAD, _RETURN, _EQUAL, _AT_LEAST, _ANY_OF = 0x20, 0x06, 0x15, 0x35, 0x45
_PASS, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000


def machine() -> str:
    """Return the kernel's name of this machine's processor."""
    return platform.machine()


def filter_program(kind: str) -> bytes:
    """Return the filter for a machine of ``ARCHITECTURES``; a program of another one, such as of 32 bits, is killed."""
    own = list(ARCHITECTURES).index(kind)
    denied = _ERROR | errno.EPERM
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_EQUAL, ARCHITECTURES[kind], 1, 0),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER),
        *([_line(_AT_LEAST, _X32, 0, 1), _line(_RETURN, denied)] if kind == "x86_64" else []),
    ]
    for numbers in REFUSED.values():
        lines += [_line(_EQUAL, numbers[own], 0, 1), _line(_RETURN, denied)]
    # the C library makes threads by clone where there is no clone3, whose arguments no filter can read
    lines += [_line(_EQUAL, CLONE3[own], 0, 1), _line(_RETURN, _ERROR | errno.ENOSYS)]
    for numbers in SOCKETS.values():
        unknown = _ERROR | errno.EAFNOSUPPORT
        lines += [_line(_EQUAL, numbers[own], 0, 4), _line(_LOAD, _FIRST_ARGUMENT)]
        lines += [_line(_EQUAL, socket.AF_UNIX, 1, 0), _line(_RETURN, unknown), _line(_RETURN, _PASS)]
    lines += [_line(_EQUAL, CLONE[own], 0, 3), _line(_LOAD, _FIRST_ARGUMENT)]
    lines += [_line(_ANY_OF, NAMESPACES, 0, 1), _line(_RETURN, denied), _line(_RETURN, _PASS)]
    return b"".join(lines)


def _line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """An instruction of the kernel's packet filter; a jump skips so many instructions."""
    return struct.pack("=HBBI", code, then, otherwise, value)
