"""YAML for people: whatever text a user gives comes back as it was, through the loader that a run reads with."""

from pathlib import Path
from typing import Any

import pytest

from peft_pipelines.config.commented_yaml import Field, document
from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.settings import CONFIG_LOADER_ARGS

ODD = (
    "plain",
    "a: b # c",
    "'single' \"double\"",
    "{a} {{b}} [c]",
    "two\nlines",
    "\n first and last \n",
    "  two\n    indented\n",
    "trailing  \nblanks",
    "tab\there\n\tand there",
    "${price} \\${price} \\\\${price} $${x} ${",
    "back\\slash \\n",
    "no",
    "2026-01-31",
    "007",
    "1e5",
    "~",
    "- x",
    "日本 🙂 naïve \u00a0 \u2028 \x85 \r\n x",
    "\x07\x1b[2J",
    "---\n...",
    "x" * 300,
    "%TAG",
    "? key",
    "<<",
)

STRATEGY = {"merge_strategy": CONFIG_LOADER_ARGS["merge_strategy"]}


def read(folder: Path, text: str) -> dict[str, Any]:
    for name in ("base", "local"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "base/parameters.yml").write_text("{}")
    (folder / "local/parameters.yml").write_text(text, encoding="utf-8", newline="")
    return ConfLoader(str(folder), base_env="base", default_run_env="local", **STRATEGY)["parameters"]


def test_every_text_comes_back(tmp_path: Path) -> None:
    fields = [Field(f"t{number}", text, "of\ntwo lines") for number, text in enumerate(ODD)]
    found = read(tmp_path, document("Head.\nSecond.", fields, around=["tasks", "no"]))
    assert found == {"tasks": {"no": {f"t{number}": text for number, text in enumerate(ODD)}}}


@pytest.mark.parametrize("block", [True, False])
def test_texts_come_back_inside_lists_and_as_keys(tmp_path: Path, block: bool) -> None:
    value = {text: text for text in ODD}
    fields = [Field("labels", value, block=block), Field("metrics", list(ODD), block=block)]
    found = read(tmp_path, document("", fields, around=["tasks", "no"]))
    assert found == {"tasks": {"no": {"labels": value, "metrics": list(ODD)}}}


def test_it_reads_as_a_person_would_write_it() -> None:
    fields = [
        Field("raw", "data/mine.csv", "where"),
        Field("splits", {"train": "train", "test_share": 0.2}),
        Field("instruction", "First.\nSecond: {x}"),
        Field("ignore_case", True),
        Field("labels", {"0": "bad"}, "by value", block=True),
    ]
    assert document("Mine.", fields, around=["tasks", "mine"]) == (
        "# Mine.\n"
        "tasks:\n"
        "  mine:\n"
        "    # where\n"
        "    raw: data/mine.csv\n"
        "    splits: {train: train, test_share: 0.2}\n"
        "    instruction: |-\n"
        "      First.\n"
        "      Second: {x}\n"
        "    ignore_case: true\n"
        "    # by value\n"
        "    labels:\n"
        "      '0': bad\n"
    )
