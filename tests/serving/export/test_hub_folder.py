"""A folder for the hub: what it holds, and a card that the hub's own client reads."""

from pathlib import Path

import pytest
from exported import NUMBERS, finished
from huggingface_hub import ModelCard

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.export.formats import CONTENTS, Format, export
from peft_pipelines.serving.export.hub_folder import contents_of, hub_card, hub_format, notice


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
        export(cell, hub_format(contents_of(cell, "adapter")), tmp_path / "out", lambda step: None, overwrite=False)


def test_it_replaces_its_own_folder_with_all_notices_in_it(tmp_path: Path) -> None:
    cell, out = finished("lora", "llama", tmp_path), tmp_path / "out"
    texts = {"NOTICE.md": "Of the base's makers, \xe9.\n", "NOTICE": "Short.\n", "COPYING": "Freely.\n"}
    for name, text in texts.items():
        (cell.weights / name).write_text(text, encoding="utf-8")
    wanted = hub_format(contents_of(cell))
    for overwrite in (False, True):
        export(cell, wanted, out, lambda step: None, overwrite=overwrite)
        assert [(out / name).read_text() for name in ("NOTICE", "COPYING")] == ["Short.\n", "Freely.\n"]
        assert (out / "NOTICE.md").read_text(encoding="utf-8") == (
            f"{notice(cell)}\n## Notice of the base model\n\n{texts['NOTICE.md']}"
        )


@pytest.mark.parametrize("there", [True, False])
def test_ollama_is_told_of_only_where_its_file_is(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: object, folder: Path, __: object) -> float:
        folder.mkdir()
        if there:
            (folder / "Modelfile").write_text("FROM ./model.gguf")
        return 0.0

    monkeypatch.setitem(CONTENTS, "gguf", Format(lambda _: None, write))
    hub_format("gguf").write(finished("lora", "llama", tmp_path), tmp_path / "out", lambda step: None)
    text = (tmp_path / "out/README.md").read_text()
    assert "llama-cli -m model.gguf" in text and ("ollama create mine -f Modelfile" in text) == there
