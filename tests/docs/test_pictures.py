"""The pictures of README and docs: the script that takes them, and that they are all of its taking."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

from browser import needs_chromium
from light import PROJECT, SOURCES, TESTS
from made import Made, free, labelled

from peft_pipelines.reporting.comparisons import no_differences
from peft_pipelines.reporting.plots import plot

PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]
NAMES = {"report", "results", "pipeline", "board", "method", "run", "ask"}
LINK = re.compile(r"!\[[^\]]*\]\((?:docs/)?images/(\w+)\.png\)")


def taken(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """What the script did, in a process of its own."""
    command = [sys.executable, str(PROJECT / "docs/pictures.py"), *map(str, arguments)]
    ours = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (SOURCES, TESTS / "support")))} | more
    return subprocess.run(command, env=ours, capture_output=True, text=True, check=False)


def size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, as its first block has them."""
    start = path.read_bytes()[:24]
    assert start[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", start[16:])
    return width, height


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_the_pictures_of_the_pages_are_those_that_the_script_takes() -> None:
    assert {path.stem for path in (PROJECT / "docs/images").iterdir()} == NAMES
    assert {name for page in PAGES for name in LINK.findall(page.read_text(encoding="utf-8"))} == NAMES
    said = "no picture 'nothing'; there are report, results, pipeline, board, method, run, ask\n"
    assert said in taken("nothing").stderr


def test_without_a_browser_it_says_what_to_install(tmp_path: Path) -> None:
    assert "apt install chromium" in refused(taken("--output", tmp_path, PATH=str(tmp_path)))


@needs_chromium
def test_without_a_run_it_says_what_to_run(tmp_path: Path) -> None:
    said = refused(taken("report", "--store", tmp_path / "none", "--output", tmp_path))
    assert "no report.html and no scores.json in " in said and "`kedro run --env=three_seeds`" in said
    assert list(tmp_path.iterdir()) == []


@needs_chromium
def test_a_report_and_its_plot_become_pictures(tmp_path: Path) -> None:
    made = Made(tmp_path / "made", {"base": 0.3, "good": 0.9}, [labelled(), free()])
    reporting, output = tmp_path / "store/08_reporting", tmp_path / "images"
    reporting.mkdir(parents=True)
    (reporting / "report.html").write_text(made.page(), encoding="utf-8")
    (reporting / "scores.json").write_text(plot(made.table(no_differences())).to_json(), encoding="utf-8")
    done = taken("report", "results", "--store", tmp_path / "store", "--output", output)
    assert done.stdout.splitlines() == [f"{output / name}.png" for name in ("report", "results")], done.stderr
    assert sorted(path.name for path in output.iterdir()) == ["report.png", "results.png"]
    (report, high), (results, low) = (size(output / f"{name}.png") for name in ("report", "results"))
    assert 1700 < report < 1800 < high and 2300 < results < 2400 and low > 400
    assert all(path.stat().st_size > 20_000 for path in output.iterdir())  # a blank picture has a tenth of that


@needs_chromium
def test_the_pipelines_become_a_picture_without_a_run(tmp_path: Path) -> None:
    done = taken("pipeline", "--store", tmp_path / "none", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(1000 < side < 2800 for side in size(tmp_path / "pipeline.png"))
    assert (tmp_path / "pipeline.png").stat().st_size > 100_000
