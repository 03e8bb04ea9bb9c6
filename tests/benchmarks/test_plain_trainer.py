"""The plain script on a small model: what it trains on, and its answers."""

import json
import sys
from pathlib import Path

import pandas as pd
import plain_trainer
import pytest
import tiny

ROWS = [{"prompt": f"line {n}", "references": ["good" if n % 2 else "bad"]} for n in range(12)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.fresh("llama").save_pretrained(tmp_path / "model")
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path / "model")
    (tmp_path / "prompts").mkdir()
    for split, rows in {"train": ROWS, "validation": ROWS[:2], "test": ROWS[:5]}.items():
        pd.DataFrame(rows).to_parquet(tmp_path / f"prompts/{split}.parquet")
    return tmp_path


def test_it_trains_and_answers_each_test_prompt(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}
    options = [f"--weights={folder}/model", f"--prompts={folder}/prompts", f"--output={folder}"]
    limits = ["--learning-rate=0.001", "--max-length=64", "--max-new-tokens=4"]
    monkeypatch.setattr(sys, "argv", ["plain_trainer", *options, *limits, f"--config={json.dumps(config)}"])
    plain_trainer.main()
    assert len(json.loads((folder / "answers.json").read_text())) == 5
    assert {line.partition(":")[0] for line in capsys.readouterr().out.splitlines()} >= {"train", "generate", "right"}
    assert list((folder / "trainer").glob("checkpoint-2/adapter_model.safetensors"))


def test_the_answer_alone_has_a_loss_and_is_never_cut() -> None:
    tokenizer = tiny.tokenizer(tiny.CHATML)
    whole, cut = (plain_trainer.encoded(ROWS[1], tokenizer, length) for length in (100, 10))
    answer = [*tokenizer("good").input_ids, tokenizer.eos_token_id]
    assert [label for label in whole["labels"] if label >= 0] == answer == [x for x in cut["labels"] if x >= 0]
    assert whole["input_ids"][-10:] == cut["input_ids"]
    assert tokenizer.decode(whole["input_ids"]).startswith("<|im_start|>user\nline 1<|im_end|>\n<|im_start|>assistant")
