"""The model card in a checkpoint: fields that the hub knows, and how to load what it lies beside."""

from typing import Any

from huggingface_hub import ModelCard

from peft_pipelines.storage.model_card import card, front_matter

RECORD: dict[str, Any] = {
    "method": {
        "name": "small",
        "provider": "hf_peft",
        "type": "KIND",
        "family": "reparameterised",
        "config": {"r": 8},
        "optimizer": {"type": "adamw"},
        "citation": "Someone 2022",
    },
    "model": {
        "name": "tiny",
        "hub": {"repo": "someone/tiny", "revision": "1a2b"},
        "licence": "Apache-2.0",
        "citation": "Others 2024",
        "notes": "",
    },
    "training_args": {"epochs": 1.0, "learning_rate": 0.001},
    "seed": 0,
    "steps": 2,
    "trainable_parameters": 1792,
    "total_parameters": 32416,
    "rows": {"train": 10, "validation": 2},
    "provenance": {
        "run_id": "2026-01-01T00.00.00.000Z",
        "command": "kedro run --env=smoke",
        "again": "kedro reproduce 2026-01-01T00.00.00.000Z --cell small.tiny.mood.s0",
        "task": {
            "name": "mood",
            "type": "sentiment classification",
            "source": {"repo": "nobody/mood"},
            "licence": "CC BY",
            "citation": "Third 2020",
            "metrics": ["accuracy"],
        },
        "base_model": {"name": "someone/tiny"},
    },
}


def test_the_front_matter_has_the_hubs_fields() -> None:
    found = ModelCard(card(RECORD)).data.to_dict()
    assert found == {
        "base_model": "someone/tiny",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "license": "apache-2.0",
        "datasets": ["nobody/mood"],
        "tags": ["peft", "small", "kind", "peft-pipelines"],
    }


def test_no_row_ends_the_front_matter_or_adds_to_it() -> None:
    evil = "x\n---\nlicense: mit\n---\n# A title"
    model = {**RECORD["model"], "name": evil, "hub": {"repo": evil}, "licence": evil, "notes": evil, "citation": evil}
    method = {**RECORD["method"], "name": evil, "type": evil, "config": {"a": "`b`\n```"}}
    text = card({**RECORD, "model": model, "method": method})
    found = ModelCard(text).data.to_dict()
    assert found["base_model"] == evil and found["license"] == "other"
    assert text.count("\n---\n") == 1 and text.count("\nlicense:") == 1 and text.count("\n# ") == 1


def test_what_the_hub_does_not_have_is_not_named_as_if_it_had() -> None:
    model = {**RECORD["model"], "hub": None, "licence": "Some Community License"}
    found = front_matter({**RECORD, "model": model})
    assert "base_model" not in found
    assert (found["license"], found["license_name"]) == ("other", "some-community-license")


def test_the_text_says_how_it_came_about_and_how_to_redo_it() -> None:
    text = card(RECORD)
    for words in (
        "# small on tiny for mood",
        "Trainable parameters: 1,792 of 32,416",
        "Rows: 10 train, 2 validation",
        "| learning_rate | 0.001",
        "kedro run --env=smoke",
        "kedro reproduce 2026-01-01T00.00.00.000Z --cell small.tiny.mood.s0",
        'PeftModel.from_pretrained(base, ".")',
        "Not known when this was written",
    ):
        assert words in text


def test_scores_are_told_once_they_are_known() -> None:
    text = card(RECORD, {"accuracy": 0.75, "n": 4.0, "primary_low": 0.2, "primary_high": 0.99})
    assert "On 4 test examples:" in text
    assert "| accuracy | 0.7500 | 0.2000 to 0.9900 |" in text


def test_each_provider_has_a_way_to_read_its_checkpoints() -> None:
    for provider in ("hf_peft", "adapters", "weights", "custom", "none"):
        method = {**RECORD["method"], "provider": provider}
        assert "## How to load it\n\n```python\n" in card({**RECORD, "method": method})
