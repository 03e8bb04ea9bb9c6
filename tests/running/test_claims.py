"""One holder a claim: the dead lose it at once, holders elsewhere after silence, the living never."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peft_pipelines.files.owner import Owner, me
from peft_pipelines.running import claims
from peft_pipelines.running.claims import CLAIM, ClaimLost, Claims

ELSEWHERE = str(Owner("00000000", 7, 7))
DEAD = str(Owner(me().machine, me().pid, me().began - 1))


@pytest.fixture
def mine() -> Iterator[Claims]:
    found = Claims("mine")
    yield found
    found.close()


def held_by(folder: Path, owner: str, run: str = "theirs") -> Path:
    folder.mkdir(exist_ok=True)
    claim: dict[str, Any] = {"run_id": run, "host": "far", "pid": 7, "owner": owner, "since": "-", "token": run}
    (folder / CLAIM).write_text(json.dumps(claim))
    return folder / CLAIM


def test_a_claim_names_its_holder_and_goes_when_it_is_released(tmp_path: Path, mine: Claims) -> None:
    folder = tmp_path / "cell"
    assert mine.take(folder) is None
    found = json.loads((folder / CLAIM).read_text())
    assert (found["run_id"], found["pid"], found["owner"]) == ("mine", os.getpid(), str(me()))
    other = Claims("other").take(folder)
    assert str(other) == f"run mine on {found['host']} (process {os.getpid()})"
    mine.release(folder)
    assert list(folder.iterdir()) == []
    assert Claims("other").take(folder) is None


def test_the_claim_of_a_dead_process_is_taken_over_at_once(tmp_path: Path, mine: Claims) -> None:
    held_by(tmp_path, DEAD)
    assert mine.take(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == [CLAIM]


def test_a_claim_that_a_run_of_this_process_left_is_taken_over(tmp_path: Path, mine: Claims) -> None:
    held_by(tmp_path, str(me()))
    assert mine.take(tmp_path) is None


@pytest.mark.parametrize("owner", [ELSEWHERE, "no owner at all"])
def test_a_silent_holder_elsewhere_is_followed_after_a_while(
    tmp_path: Path, mine: Claims, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(claims, "monotonic", lambda: clock[0])
    path = held_by(tmp_path, owner)
    for second in (0, 100, 119):
        clock[0] = 1000.0 + second
        assert mine.take(tmp_path)
    os.utime(path, (1, 1))  # a touch by a clock of 1970 is a touch
    for second in (200, 319):
        clock[0] = 1000.0 + second
        assert mine.take(tmp_path)
    clock[0] = 1000.0 + 321
    assert mine.take(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run_id": 1}'])
def test_a_damaged_claim_counts_as_one_of_nobody_known(tmp_path: Path, mine: Claims, content: str) -> None:
    (tmp_path / CLAIM).write_text(content)
    assert str(mine.take(tmp_path)) == "run None on unknown (process 0)"


def test_a_holder_touches_its_claim(tmp_path: Path, mine: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT", 0.01)
    assert mine.take(tmp_path) is None
    os.utime(tmp_path / CLAIM, (1, 1))
    patience = time.monotonic() + 10
    while (tmp_path / CLAIM).stat().st_mtime < 2 and time.monotonic() < patience:
        time.sleep(0.01)
    assert (tmp_path / CLAIM).stat().st_mtime > 2


def test_a_run_whose_claim_was_taken_over_learns_of_it(tmp_path: Path, mine: Claims) -> None:
    assert mine.take(tmp_path) is None
    mine.check(tmp_path)
    held_by(tmp_path, ELSEWHERE)
    with pytest.raises(ClaimLost, match="run theirs on far"):
        mine.check(tmp_path)
    mine.release(tmp_path)
    assert json.loads((tmp_path / CLAIM).read_text())["run_id"] == "theirs"


def test_a_file_system_without_links(tmp_path: Path, mine: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(source), None, str(target))

    monkeypatch.setattr(os, "link", refused)
    assert mine.take(tmp_path) is None
    assert Claims("other").take(tmp_path)
    mine.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


RACE = """
import sys
from pathlib import Path
from peft_pipelines.running.claims import Claims
folder = Path(sys.argv[1])
(folder.parent / f"{sys.argv[2]}.ready").touch()
while not (folder.parent / "go").exists():
    pass
mine = Claims(sys.argv[2])
won = 0
for number in range(40):
    while mine.take(folder / str(number)):
        if (folder / str(number) / "done").exists():
            break
    else:
        if not (folder / str(number) / "done").exists():
            (folder / str(number) / "done").open("x").close()
            won += 1
        mine.release(folder / str(number))
print(won)
"""


def test_of_a_dead_runs_claims_each_is_taken_over_once(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / "cells" / str(number)).mkdir(parents=True)
        held_by(tmp_path / "cells" / str(number), DEAD)
    command = [sys.executable, "-c", RACE, str(tmp_path / "cells")]
    racers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("a", "b", "c")]
    while len(list(tmp_path.glob("*.ready"))) < len(racers):
        time.sleep(0.05)
    (tmp_path / "go").touch()
    won = [int(racer.communicate()[0]) for racer in racers]
    assert sum(won) == 40
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert {path.name for path in (tmp_path / "cells").rglob("*") if path.is_file()} == {"done"}
