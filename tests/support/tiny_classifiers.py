"""What tests of the classifier share: a model of random weights in the current folder, and a row that names it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import tiny

MODEL = {"folder": "tiny", "dtype": "float32", "chat_template": True, "licence": "-", "citation": "-"}
TRAINING: dict[str, Any] = {"epochs": 1, "evaluations": 1, "batch_size": 64}


@pytest.fixture(scope="module", autouse=True)
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The model's folder; the current one is no project's."""
    before, folder = os.getcwd(), tmp_path_factory.mktemp("models")
    for part in (tiny.fresh("llama"), tiny.tokenizer(tiny.CHATML)):
        part.save_pretrained(folder / "tiny")
    os.chdir(folder)
    yield
    os.chdir(before)
