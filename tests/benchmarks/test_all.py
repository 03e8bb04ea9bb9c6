"""The one command that measures all figures."""

import doctest
from pathlib import Path

import all as every  # its name is also that of a builtin
import busy
import by_operation
import cell
import floor
import grid
import growth
import idle
import masked
import plain
import plan
import pytest
import reference
from light import PROJECT

SCRIPTS = {
    f"{script.__name__}.py": script
    for script in (busy, by_operation, cell, floor, grid, growth, idle, masked, plain, plan, reference)
}
COMMANDS = every.commands(PROJECT / "build")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_takes_the_options_that_it_is_given(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, *options = COMMANDS[name]
    raw = [] if script in every.WITHOUT_ROWS else ["--raw=rows"]
    monkeypatch.setattr("sys.argv", [script, *options, *raw, "--nope"])
    with pytest.raises(SystemExit):
        SCRIPTS[script].main()
    assert capsys.readouterr().err.strip().endswith("error: unrecognized arguments: --nope")


def test_what_has_a_file_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COMMANDS:
        (tmp_path / f"{name}.txt").write_text("kept")
    monkeypatch.setattr("sys.argv", ["all", "--raw=rows", f"--output={tmp_path}"])
    every.main()
    assert {path.read_text() for path in tmp_path.iterdir()} == {"kept"}


def test_all_that_a_script_prints_is_kept_and_its_figures_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    printed = "loading\nLoRA on moods, one thread\n| 1 |\n"
    assert every.measured(["-c", f"print({printed!r}, end='')"]) == printed
    assert capsys.readouterr().out == printed.removeprefix("loading\n")


def test_a_script_that_fails_ends_it_with_what_it_printed() -> None:
    with pytest.raises(SystemExit, match="no model here"):
        every.measured(["-c", "raise SystemExit('no model here')"])


def test_the_figures_are_what_stands_behind_the_report_of_the_run() -> None:
    assert doctest.testmod(every) == (0, 1)
