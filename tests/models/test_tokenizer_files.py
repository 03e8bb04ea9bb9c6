"""A tokenizer's files: what reaches the library, and that it has the tokens that stand there."""

import json
from pathlib import Path

import pytest
import tiny

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.tokenizer_files import check_tokens, tokenizer_fields


def test_only_what_a_tokenizer_knows_reaches_the_library() -> None:
    given = {
        "eos_token": "<|end|>",
        "image_token": "<x>",
        "add_bos_token": True,
        "stride": 5,
        "max_length": 3,
    }
    assert tokenizer_fields(given, "here").keys() == {"eos_token", "image_token", "add_bos_token"}


def test_the_arguments_of_its_class_are_known() -> None:
    given = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "vocab_file": "vocab.txt", "x": 1}
    assert tokenizer_fields(given, "here").keys() == {"tokenizer_class", "do_lower_case"}


@pytest.mark.parametrize("template", [None, tiny.CHATML])
def test_a_saved_tokenizer_has_its_tokens(template: str | None, tmp_path: Path) -> None:
    made = tiny.tokenizer(template)
    made.save_pretrained(tmp_path)
    check_tokens(made, {path.name: path for path in tmp_path.iterdir()}, "here")


def test_a_token_of_another_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<|end|>": 255}))
    with pytest.raises(ConfigError, match=r"here, added_tokens\.json: added token '<\|end\|>' .* got for 255 256"):
        check_tokens(tiny.tokenizer(), {"added_tokens.json": tmp_path / "added_tokens.json"}, "here")
