"""An answer in pieces: the mode that each of them is made in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from catalogs import catalog_of
from project import Project, project
from recorded import LORA, original, recorded

from peft_pipelines.models.base_model import Base
from peft_pipelines.serving import answer
from peft_pipelines.serving.loading import load_cell

__all__ = ["original", "project", "recorded"]


@pytest.mark.parametrize("wanted", [True, False])
def test_each_piece_is_made_with_the_same_bits(
    recorded: Project, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    modes: list[bool] = []
    made: list[bool] = []

    @contextmanager
    def same_bits(_: Base, wanted: bool) -> Iterator[None]:
        modes.append(wanted)
        yield
        modes.pop()

    def stream(*_: object) -> Iterator[int]:
        for token in range(65, 70):
            made.append(modes[-1])
            yield token

    monkeypatch.setattr(Base, "same_bits", same_bits)
    monkeypatch.setattr(answer, "stream", stream)
    with catalog_of(recorded) as catalog:
        cell = load_cell(catalog, LORA)
        training = cell.recorded.training.model_copy(update={"deterministic": wanted})
        cell.recorded = replace(cell.recorded, training=training)
        for _ in cell.stream([{"role": "user", "content": "x"}], 9):
            assert modes == []
    assert made == [wanted] * 5
