"""Programs run for real under bubblewrap: those that solve a problem, those that do not, and those that attack."""

import json
import os
import random
import shutil
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sandboxes import LIMITS, needs_sandbox

from peft_pipelines.config import ExecutionSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation import sandbox
from peft_pipelines.evaluation.metrics.pass_rate import Cases, pass_rate
from peft_pipelines.evaluation.sandbox import process
from peft_pipelines.evaluation.sandbox.run_cases import attempt

ROOT = Path(__file__).parents[3]
APPS = ROOT.parent / "shared" / "data" / "apps"
SAMPLES = ROOT / "data/01_raw/samples/apps"
SUM = Cases(("1 2\n", "20 22\n"), ("3\n", "42\n"), None)
SECOND = Cases(([[3, 1, 2]], [[5, 4]]), (2, 4), "second")


def printed(source: str, text: str = "", limits: ExecutionSpec = LIMITS) -> str:
    return attempt(source, None, text, limits).output.decode()


def alive(name: str) -> int:
    """How many processes of this machine bear a name."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            found += path.read_text().strip() == name
        except OSError:  # it has ended meanwhile
            continue
    return found


PROGRAMS: dict[str, tuple[str, Cases, list[bool]]] = {
    "right": ("a, b = map(int, input().split())\nprint(a + b)", SUM, [True, True]),
    "right with other white space": ("print(' ', sum(map(int, input().split())), end='\\n\\n')", SUM, [True, True]),
    "right under a main guard": (
        "def main():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()",
        SUM,
        [True, True],
    ),
    "right in a thread with a deep stack": (
        "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(2**26)\n"
        "def deep(n):\n    return 0 if n == 0 else deep(n - 1)\n"
        "def main():\n    print(deep(20000) + sum(map(int, input().split())))\n"
        "threading.Thread(target=main).start()",
        SUM,
        [True, True],
    ),
    "right as the body of a function": (
        "from math import *\ntotal = 0\ndef add(n):\n    nonlocal total\n    total += n\n"
        "for n in input().split():\n    add(int(n))\nif total:\n    print(total)\n    return\nprint(9)",
        SUM,
        [True, True],
    ),
    "wrong": ("a, b = map(int, input().split())\nprint(a - b)", SUM, [False, False]),
    "knows the first answer only": ("input()\nprint(3)", SUM, [True, False]),
    "leaves early": ("import sys\nsys.exit(0)", SUM, [False, False]),
    "leaves early, pretending": ("import os\nos.write(2, b'\\nready')\nos._exit(0)", SUM, [False, False]),
    "fails after the answer": ("print(sum(map(int, input().split())))\n1 / 0", SUM, [False, False]),
    "does not parse": ("print(", SUM, [False, False]),
    "holds a zero byte": ("print(3)\0", SUM, [False, False]),
    "empty": ("", SUM, [False, False]),
    "needs what is not there": ("import numpy\nprint(sum(map(int, input().split())))", SUM, [False, False]),
    "function": ("def second(numbers):\n    print('noise')\n    return sorted(numbers)[-2]", SECOND, [True, True]),
    "method": (
        "class Solution:\n    def second(self, numbers: List[int]) -> int:\n        return sorted(numbers)[-2]",
        SECOND,
        [True, True],
    ),
    "wrong function": ("def second(numbers):\n    return max(numbers)", SECOND, [False, False]),
    "right for one call": ("def second(numbers):\n    return 2", SECOND, [True, False]),
    "function of another name": ("def third(numbers):\n    return 2", SECOND, [False, False]),
    "function that leaves": ("def second(numbers):\n    raise SystemExit(0)", SECOND, [False, False]),
    "module that leaves": ("import os\nos._exit(0)", SECOND, [False, False]),
    "function that prints its answer": ("def second(numbers):\n    print(2)", SECOND, [False, False]),
    "function that returns what JSON cannot hold": ("def second(numbers):\n    return {2}", SECOND, [False, False]),
    "always equal": (
        "class Same(int):\n    def __eq__(self, other):\n        return True\ndef second(numbers):\n    return Same(7)",
        SECOND,
        [False, False],
    ),
}


@needs_sandbox
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_pass_the_cases_that_they_solve(name: str) -> None:
    source, cases, passed = PROGRAMS[name]
    assert sandbox.run_cases([(source, cases)], LIMITS) == [passed]


@needs_sandbox
def test_programs_run_side_by_side_and_keep_their_order() -> None:
    chosen = [PROGRAMS[name] for name in ("right", "wrong", "method", "leaves early")] * 3
    found = sandbox.run_cases([(source, cases) for source, cases, _ in chosen], LIMITS)
    assert found == [passed for *_, passed in chosen]
    assert pass_rate(found) == {"pass_rate": 0.5, "cases_passed": 0.5, "pass_n": 12.0}


@needs_sandbox
@pytest.mark.parametrize(
    ("function", "arguments", "source", "wanted"),
    [
        ("f", [{"1": "a", "2": "b"}], "def f(d):\n    return [d[1], d[2]]", ["a", "b"]),
        ("f", [], "def f():\n    return (1, (2, 3))", [1, [2, 3]]),
        ("f", [0.1], "def f(x):\n    return x + 0.2", 0.3),
        ("f", [3], "def f(x):\n    return x * x", [9]),
        ("f", [10**5000], "def f(x):\n    return x + 1", 10**5000 + 1),
        ("f", ["é\n\u2028"], "def f(x):\n    return x + x", "é\n\u2028é\n\u2028"),
        ("f", [None, True], "def f(x, y):\n    return {'x': x, 'y': y}", {"x": None, "y": True}),
    ],
    ids=["whole keys", "tuples", "floats", "boxed answer", "big number", "letters", "constants"],
)
def test_values_pass_in_and_out_whole(function: str, arguments: list[Any], source: str, wanted: Any) -> None:
    text = dumped({"fn_name": function, "inputs": [arguments], "outputs": [wanted]})
    assert sandbox.run_cases([(source, Cases.of(text))], LIMITS) == [[True]]


def dumped(value: Any) -> str:
    """JSON, of whole numbers of any length too."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value)
    finally:
        sys.set_int_max_str_digits(before)


@needs_sandbox
def test_a_fork_bomb_gets_no_further_than_its_processes_and_dies_whole() -> None:
    name = f"bomb{os.getpid()}"
    bomb = f"import ctypes, os, time\nctypes.CDLL(None).prctl(15, b{name!r})\n"
    bomb += "while True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)"
    with ThreadPoolExecutor(1) as pool:
        judged = pool.submit(sandbox.run_cases, [(bomb, SUM)], LIMITS)
        most = 0
        while not judged.done():
            most = max(most, alive(name))
            time.sleep(0.02)
        assert judged.result() == [[False, False]]
    assert 1 < most <= LIMITS.processes
    time.sleep(0.5)
    assert alive(name) == 0
    children = (
        "import os, time\nmade = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            time.sleep(9)\n"
    )
    children += "        made += 1\nexcept OSError:\n    print(made)"
    assert int(printed(children)) < LIMITS.processes


@needs_sandbox
def test_threads_count_as_processes() -> None:
    source = "import threading, time\nmade = 0\ntry:\n    while True:\n"
    source += "        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n        made += 1\n"
    source += "except RuntimeError:\n    print(made)"
    assert int(printed(source)) < LIMITS.processes


@needs_sandbox
def test_a_memory_bomb_is_refused_the_memory() -> None:
    source = "blocks = []\ntry:\n    while True:\n        blocks.append(bytearray(2**20))\nexcept MemoryError:\n"
    source += "    had = len(blocks)\n    del blocks\n    print(had)"
    assert 100 < int(printed(source)) < LIMITS.memory_mb
    assert sandbox.run_cases([("x = [0] * 10**10", SUM)], LIMITS) == [[False, False]]


@needs_sandbox
def test_an_endless_loop_and_an_endless_sleep_end_and_get_no_further_case() -> None:
    for source in ("while True:\n    pass", "import time\ntime.sleep(99)", "import os\nos.close(1)\nwhile True: pass"):
        started = time.monotonic()
        assert sandbox.run_cases([(source, Cases(("",) * 9, ("",) * 9, None))], LIMITS) == [[False] * 9]
        assert time.monotonic() - started < 2 * LIMITS.seconds + 3


@needs_sandbox
def test_the_clock_of_the_processor_cannot_be_outlived() -> None:
    source = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass"
    started = time.monotonic()
    assert attempt(source, None, "", LIMITS).code != 0
    assert time.monotonic() - started < 2 * LIMITS.seconds + 3


@needs_sandbox
@pytest.mark.parametrize("stream", [1, 2])
def test_an_output_flood_is_cut_at_the_limit(stream: int) -> None:
    flood = attempt(f"import os\nwhile True:\n    os.write({stream}, b'x' * 4096)", None, "", LIMITS)
    assert len(flood.output) == (LIMITS.output_kb * 1024 if stream == 1 else 0)
    assert (flood.end == "flood") == (stream == 1)


@needs_sandbox
def test_a_returned_flood_is_cut_too() -> None:
    assert sandbox.run_cases([("def second(numbers):\n    return 'x' * 10**6", SECOND)], LIMITS) == [[False, False]]


@needs_sandbox
def test_json_that_is_too_deep_is_wrong_and_no_crash() -> None:
    source = "import os\ndef second(numbers):\n    for fd in range(3, 9):\n        try:\n"
    source += "            os.write(fd, b'[' * 50000)\n        except OSError:\n            pass\n    os._exit(0)"
    assert sandbox.run_cases([(source, SECOND)], LIMITS) == [[False, False]]


@needs_sandbox
def test_nothing_can_be_written_but_a_little_in_its_own_folder(tmp_path: Path) -> None:
    source = f"""
for path in ("/x", "/usr/x", "/dev/x", "/etc/x", {str(tmp_path / "x")!r}, {str(Path.home() / "x")!r}, "note"):
    try:
        open(path, "w").write("x")
        print(path)
    except OSError:
        pass
"""
    assert printed(source) == "note\n"
    assert list(tmp_path.iterdir()) == []
    assert printed("import os\nprint(os.listdir())") == "[]\n"  # nothing stays for the next case


@needs_sandbox
def test_files_together_hold_no_more_than_the_limit() -> None:
    source = (
        "import os\nheld = 0\nfor number in range(4):\n    try:\n        with open(str(number), 'wb', 0) as file:\n"
    )
    source += (
        "            while True:\n                held += file.write(b'x' * 4096)\n    except OSError:\n        pass\n"
    )
    source += "print(held)"
    assert 2**19 < int(printed(source)) <= LIMITS.file_mb * 2**20


@needs_sandbox
def test_no_network_reaches_this_machine_or_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"""
import socket
for address in (("127.0.0.1", {port}), ("192.0.2.1", 80), ("example.org", 80)):
    try:
        socket.create_connection(address, timeout=0.3)
        print("reached", address)
    except OSError:
        print("no")
try:
    print([name for _, name in socket.if_nameindex()])
except OSError:
    print("not even its own interface")
"""
        assert printed(source) == "no\nno\nno\nnot even its own interface\n"


@needs_sandbox
def test_neither_home_nor_project_nor_environment_nor_processes_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    paths = [Path.home() / ".bashrc", ROOT / "pyproject.toml", Path(__file__), Path("/etc/passwd"), Path("/proc/1")]
    source = f"import os\nprint([path for path in {list(map(str, paths))} if os.path.exists(path)])\n"
    source += "print(sorted(os.environ), os.getppid() <= 1)\nprint(os.listdir('/tmp'))"
    found, environment, temporary = printed(source).splitlines()
    assert (found, temporary) == ("[]", "[]")
    assert "SECRET" not in environment and environment.endswith("True")


@needs_sandbox
def test_it_has_no_rights_and_cannot_get_any() -> None:
    source = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
tries = [lambda: os.setuid(0), lambda: os.chroot("/tmp"), lambda: os.kill(1, 9),
         lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)), lambda: os.nice(-5)]
for one in tries:
    try:
        one()
        print("done")
    except (OSError, ValueError):
        print("refused")
print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
"""
    refused = printed(source).split()
    # A nameless user of its own namespace may "become" itself or kill an init that ignores it: neither helps it.
    assert refused[1] == refused[3] == refused[4] == "refused"
    assert refused[-1] == "-1"


@needs_sandbox
def test_the_same_program_prints_the_same_sets_each_time() -> None:
    assert len({printed("print({str(n) for n in range(50)})") for _ in range(3)}) == 1


def test_a_sandbox_that_does_not_start_is_told_and_not_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    false = shutil.which("false")
    assert false
    monkeypatch.setattr(process, "_inside", lambda: (false,))
    with pytest.raises(sandbox.SandboxError, match=r"^bwrap ended with 1 and said nothing$"):
        sandbox.run_cases([("print(3)", SUM)], LIMITS)
    with pytest.raises(ConfigError, match=r"^execution, enabled: must be false on this machine, got true: "):
        sandbox.check(LIMITS)


@needs_sandbox
def test_too_little_memory_for_python_itself_is_told_by_the_check() -> None:
    with pytest.raises(ConfigError, match=r"^execution, enabled: must be false on this machine, got true: "):
        sandbox.check(LIMITS.model_copy(update={"memory_mb": 8}))


def test_missing_bubblewrap_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        sandbox.check(LIMITS)
    assert str(error.value) == (
        "execution, enabled: must be false on this machine, got true: bubblewrap (bwrap) is not installed; "
        "get it by 'apt install bubblewrap' or 'dnf install bubblewrap' (Linux only)"
    )


def problems(folder: Path, most: int) -> list[dict[str, Any]]:
    """Rows of APPS with solutions, those that ask for a function first."""
    rows = [row for split in ("train", "test") for row in parquet.read_table(folder / f"{split}.parquet").to_pylist()]
    rows = [row for row in rows if row["solutions"]]
    return sorted(rows, key=lambda row: "fn_name" not in row["input_output"])[:most]


def mutated(source: str) -> str:
    """A program that gives something else: what it prints or returns is changed."""
    return (
        "import builtins\n_print = print\ndef print(*values, **options):\n"
        "    _print('#', *values, **options)\n" + source.replace("return ", "return 'no', ")
    )


@needs_sandbox
@pytest.mark.skipif(not APPS.is_dir(), reason="no real rows")
def test_reference_solutions_of_real_problems_pass_and_changed_ones_fail() -> None:
    limits = LIMITS.model_copy(update={"seconds": 10, "memory_mb": 1024, "file_mb": 16, "output_kb": 4096})
    rows = problems(APPS, 24)
    cases = [Cases.of(row["input_output"]) for row in rows]
    shortest = [min(json.loads(row["solutions"]), key=len) for row in rows]
    assert sum(one.function is not None for one in cases) == 13
    right = sandbox.run_cases(list(zip(shortest, cases, strict=True)), limits)
    failed = [row["problem_id"] for row, passed in zip(rows, right, strict=True) if not all(passed)]
    assert failed == [5]  # has several right answers, of which its solution prints another than its cases
    wrong = sandbox.run_cases([(mutated(source), one) for source, one in zip(shortest, cases, strict=True)], limits)
    assert not any(map(any, wrong))


@needs_sandbox
def test_solutions_of_the_sample_rows_pass() -> None:
    rows = [json.loads(line) for path in sorted(SAMPLES.glob("*.jsonl")) for line in path.read_text().splitlines()]
    chosen = random.Random(0).sample(rows, 12)
    programs = [(json.loads(row["solutions"])[0], Cases.of(row["input_output"])) for row in chosen]
    assert all(map(all, sandbox.run_cases(programs, LIMITS)))
