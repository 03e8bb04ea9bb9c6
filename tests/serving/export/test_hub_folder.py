"""A folder for the hub: what it holds, and a card that the hub's own client reads."""

from pathlib import Path

import pytest
from exported import NUMBERS, finished
from huggingface_hub import ModelCard

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.export.hub_folder import contents_of, hub_card, hub_format


def test_an_adapters_folder_has_card_and_licences(tmp_path: Path) -> None:
    cell = finished("lora", "llama", tmp_path)
    (cell.weights / "LICENSE.txt").write_text("All of it.")
    wanted = hub_format(contents_of(cell))
    wanted.write(cell, tmp_path / "out", lambda step: None)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "LICENSE.txt",
        "NOTICE.md",
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert "someone/tiny (Others 2024), under: Apache-2.0" in (tmp_path / "out" / "NOTICE.md").read_text()
    assert not [path for path in (tmp_path / "out").iterdir() if str(tmp_path).encode() in path.read_bytes()]
    text = (tmp_path / "out" / "README.md").read_text()
    for words in (
        "| accuracy | 0.8000 | 0.7000 to 0.9000 |",
        "Base model: someone/tiny, revision 1a2b",
        "SHA-256 of the data's train.parquet: abab",
        "PeftModel.from_pretrained(base",
        "Classify the sentiment of the following sentence.",
        "the base model's licence is Apache-2.0",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("contents", "library", "relation"),
    [("adapter", "peft", "adapter"), ("merged", "transformers", "finetune"), ("gguf", "gguf", "quantized")],
)
def test_the_cards_fields_say_what_the_repository_holds(
    contents: str, library: str, relation: str, tmp_path: Path
) -> None:
    card = ModelCard(hub_card(finished("lora", "llama", tmp_path).record, NUMBERS, contents))
    assert card.data.library_name == library
    assert card.data.base_model == "someone/tiny"
    assert card.data.to_dict()["base_model_relation"] == relation
    (result,) = card.data.eval_results
    assert (result.dataset_type, result.metric_type, result.metric_value) == ("nyu-mll/glue", "accuracy", 0.8)
    assert card.data.license == "apache-2.0"


def test_what_holds_no_adapter_is_sent_merged(tmp_path: Path) -> None:
    cell = finished("full", "llama", tmp_path)
    assert contents_of(cell) == "merged"
    with pytest.raises(ConfigError, match="cannot be exported as 'adapter'"):
        contents_of(cell, "adapter")
