"""What a training reports while it goes on: all that it logs, and once more what it has logged before it was cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny
from resumed import job, made
from small_trainings import Stop

from peft_pipelines.files import progress
from peft_pipelines.training.train import train
from peft_pipelines.training.trainer import CellTrainer

Heard = list[tuple[str, dict[str, float]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    found: Heard = []
    progress.listen(None, lambda phase, entry: found.append((phase, dict(entry))))
    yield found
    progress.listen(None)


def test_what_is_reported_is_the_log(tmp_path: Path, heard: Heard) -> None:
    outcome = train(made(tiny.ROWS["lora"], "llama"), job(tmp_path))
    assert heard == [("train", entry) for entry in outcome.log]
    assert {"loss", "validation_loss"} <= {name for _, entry in heard for name in entry}


def test_a_training_that_goes_on_reports_what_it_has_logged(tmp_path: Path, heard: Heard) -> None:
    cut = CellTrainer(made(tiny.ROWS["lora"], "llama"), job(tmp_path))
    cut.add_callback(Stop(3))
    with pytest.raises(KeyboardInterrupt):
        cut.train()
    assert {entry["step"] for _, entry in heard} == {1, 2, 3}
    heard.clear()
    outcome = train(made(tiny.ROWS["lora"], "llama"), job(tmp_path))
    assert [entry for _, entry in heard] == outcome.log
    assert {entry["step"] for entry in outcome.log} == {1, 2, 3, 4}
