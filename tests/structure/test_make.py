"""What the Makefile and the continuous integration rest on."""

import re
import subprocess
from pathlib import Path

import pytest
from light import PROJECT

NOTHING = "Error: nothing was checked, the service of known vulnerabilities did not answer"
CLOSING = re.findall(r"grep -E '([^']+)'", (PROJECT / ".ci/run").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        ("==== 4624 passed, 3 skipped, 41 deselected in 812.33s (0:13:32) ====", True),
        ("4624 passed, 3 skipped, 1 warning in 812.33s (0:13:32)", True),
        ("1 failed, 4623 passed in 812.33s (0:13:32)", True),
        ("2 errors in 1.20s", True),
        ("no tests ran in 0.01s", False),
        ("3 skipped in 0.50s", False),
        ("bringing up nodes...", False),
    ],
)
def test_the_closing_line_of_pytest_is_known(line: str, closes: bool) -> None:
    (pattern,) = CLOSING
    found = subprocess.run(
        ["grep", "-E", pattern], input=f"before\n{line}\n", capture_output=True, text=True, check=False
    )
    assert found.stdout == (f"{line}\n" if closes else "")


@pytest.mark.parametrize(("name", "least"), [("transformers5", 5), ("ray", 2)])
def test_the_tests_of_an_environment_of_their_own_exist(name: str, least: int) -> None:
    asked = ["make", "--dry-run", f"test-{name}", f"--old-file=.venv-{name}/.installed"]
    printed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    (command,) = [line for line in printed.splitlines() if " pytest " in line]
    named = [word for word in command.split() if word.startswith("tests/")]
    assert len(named) > least and all((PROJECT / name).exists() for name in named)


AUDITS = {
    "No known vulnerabilities found": (0, "No known vulnerabilities found\n", ""),
    "Found 1 known vulnerability in 1 package": (1, "Found 1 known vulnerability in 1 package\n", ""),
    "ERROR:pip_audit._cli:some: Dependency not found on PyPI": (1, "", "some: Dependency not found on PyPI"),
    "Traceback (most recent call last):\nrequests.exceptions.ConnectionError: no route": (
        1,
        "",
        "requests.exceptions.ConnectionError: no route",
    ),
}
"""By what pip-audit 2.10 says last: its exit code, what `make audit` prints, and the reason of its one line."""


@pytest.mark.parametrize("said", AUDITS)
def test_an_audit_that_looked_nothing_up_does_not_pass(said: str, tmp_path: Path) -> None:
    code, printed, reason = AUDITS[said]
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/pip-audit"
    program.write_text(f"#!/bin/sh\necho 'WARNING: pinned\n{said}' >&2\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "bin/python").touch()
    asked = ["make", "--no-print-directory", "audit", f"AUDIT={tmp_path}", f"--old-file={tmp_path}/.installed"]
    done = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == (code != 0)
    assert done.stdout == printed
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert errors == ([f"{NOTHING}: {reason}"] if reason else [])


def test_an_audit_whose_tool_cannot_be_installed_says_so(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/python"
    program.write_text("#!/bin/sh\necho 'WARNING: Retrying\nERROR: No matching distribution' >&2\nexit 1\n")
    program.chmod(0o755)
    asked = ["make", "--no-print-directory", "audit", f"AUDIT={tmp_path}"]
    done = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert errors == ["Error: nothing was checked, pip-audit could not be installed: ERROR: No matching distribution"]
    assert done.returncode != 0 and not (tmp_path / ".installed").exists()
