"""What the benchmark against PEFT-Factory writes for it, and reads of it."""

import json
from pathlib import Path

import pandas as pd
import reference


def test_its_data_are_the_prompts_of_the_run(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    rows = pd.DataFrame([{"prompt": "Good or bad?\n\nfine", "references": ["good", "fine"]}])
    for split in ("train", "validation", "test"):
        rows.to_parquet(prompts / f"{split}.parquet")
    reference.write_data(tmp_path, prompts)
    listed = json.loads((tmp_path / "data/dataset_info.json").read_text())
    turn = {"instruction": "Good or bad?\n\nfine", "input": "", "output": "good"}
    assert {name: json.loads((tmp_path / "data" / row["file_name"]).read_text()) for name, row in listed.items()} == {
        "train": [turn],
        "test": [turn],
    }


def test_its_answers_are_counted(tmp_path: Path) -> None:
    lines = [{"predict": "good\n", "label": "good"}, {"predict": "goodness", "label": "good"}]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert reference.right(tmp_path / "answers.jsonl") == 50
