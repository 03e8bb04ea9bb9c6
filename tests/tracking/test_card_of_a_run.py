"""The card of a real cell: its scores are in it after the run, and writing it has changed nothing that counts."""

import re

import pandas as pd
from huggingface_hub import ModelCard
from project import Project
from recorded import only, original, read, recorded  # noqa: F401

FOLDER = "06_models/tiny/mood/lora/s0/checkpoint/*/checkpoint"


def test_a_run_writes_the_scores_into_the_cards(recorded: Project) -> None:  # noqa: F811
    text = only(f"{FOLDER}/README.md").read_text()
    assert "On 4 test examples:" in text
    assert re.search(r"^\| accuracy +\| 0\.0000 \|", text, re.MULTILINE)
    found = ModelCard(text).data.to_dict()
    assert (found["library_name"], found["datasets"]) == ("peft", ["nobody/mood"])


def test_the_card_is_not_counted_as_a_part_of_the_checkpoint(recorded: Project) -> None:  # noqa: F811
    folder = only(FOLDER)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.name not in ("README.md", "record.json"))
    assert read(only("07_model_output/tiny/mood/lora/s0/metrics.json"))["checkpoint_bytes"] == size


def test_energy_is_a_column_of_the_results(recorded: Project) -> None:  # noqa: F811
    row = pd.read_csv("data/08_reporting/results.csv").set_index("method").loc["lora"]
    assert row["train_energy_wh"] > 0
    assert row["co2_g"] > 0
    record = read(only(f"{FOLDER}/record.json"))
    assert record["train_energy_method"].startswith("estimate of codecarbon ")
