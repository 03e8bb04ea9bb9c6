"""The commands of docs/using.md as they stand there, on the files that it shows and a cell of the small project."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from project import Project, project
from recorded import LORA, original, recorded

__all__ = ["original", "project", "recorded"]

TEXT = (Path(__file__).parents[2] / "docs/using.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]
FILES = re.findall(r"^```text\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
WRITTEN = "lora.smollm2_135m.sst2.s0"


def test_the_commands_do_what_the_page_says(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in zip(("reviews.csv", "rows.jsonl"), FILES, strict=True):
        Path(name).write_text(text)
    Path("questions.txt").write_text("Who are you?\nAnd I?\n")
    invoke, outputs = CliRunner.invoke, []
    for line in COMMANDS[1:]:
        words = shlex.split(line.replace(WRITTEN, LORA))
        piped = Path(words[words.index("<") + 1]).read_text() if "<" in words else ""
        arguments = words[1 : words.index("<")] if "<" in words else words[1:]
        monkeypatch.setattr(CliRunner, "invoke", lambda self, *given, piped=piped: invoke(self, *given, input=piped))
        done = recorded.kedro(*arguments)
        assert done.exit_code == 0, (line, done.output)
        outputs.append(done.stdout)
    assert COMMANDS[0].startswith("kedro run") and len(outputs) == 6
    columns = pd.read_parquet("answers.parquet").columns.tolist()
    named = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE)))
    labels = {"negative": "bad", "positive": "good"}
    assert columns[2:] == [
        f"probability_{labels[name.partition('_')[2]]}" if "_" in name and name.startswith("prob") else name
        for name in named
    ]
    assert outputs[0].splitlines()[0].startswith("| metric") and len(outputs[1].splitlines()) == 2
    assert [line.partition(":")[0] for line in outputs[2].splitlines() if ":" in line][:2] == ["lora", "zero_shot"]
    assert [len(Path(name).read_text().splitlines()) for name in ("answers.jsonl", "warm.jsonl")] == [4, 2]
