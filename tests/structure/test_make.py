"""What the Makefile and the continuous integration rest on."""

import re
import subprocess

import pytest
from light import PROJECT

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


def test_the_tests_for_transformers_5_exist() -> None:
    asked = ["make", "--dry-run", "test-transformers5", "--old-file=.venv-transformers5/.installed"]
    printed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    (command,) = [line for line in printed.splitlines() if " pytest " in line]
    named = [word for word in command.split() if word.startswith("tests/")]
    assert len(named) > 5 and all((PROJECT / name).exists() for name in named)
