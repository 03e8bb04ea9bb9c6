import os
import subprocess
import sys
from pathlib import Path

from peft_pipelines.files.owner import Life, Owner, me


def test_this_process_is_alive_and_reads_back_from_its_text() -> None:
    assert Owner.of(str(me())) == me()
    assert me().pid == os.getpid()
    assert me().life is Life.ALIVE


def test_an_earlier_process_of_the_same_number_is_dead() -> None:
    assert Owner(me().machine, me().pid, me().began - 1).life is Life.DEAD


def test_a_process_that_ended_and_was_not_waited_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    owner = Owner(me().machine, child.pid, int(fields[19]))
    assert owner.life is Life.ALIVE
    assert child.stdin
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert owner.life is Life.DEAD
    child.wait()
    assert owner.life is Life.DEAD


def test_of_a_process_of_another_machine_nothing_is_known() -> None:
    assert Owner("00000000", me().pid, me().began).life is Life.ELSEWHERE


def test_after_a_fork_the_child_is_an_owner_of_its_own() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, str(me()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert Owner.of(os.read(reading, 100).decode()).pid == pid
