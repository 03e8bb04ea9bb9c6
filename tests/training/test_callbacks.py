"""When a training saves its state, and when it validates."""

import pytest
import tiny

from peft_pipelines.training.callbacks import Schedule


@pytest.mark.parametrize(
    ("steps", "saves", "evaluations", "saved", "scored"),
    [
        (18, 4, 4, [5, 9, 14, 18], [5, 9, 14, 18]),
        (18, 3, 1, [6, 12, 18], [18]),
        (18, 3, 2, [6, 12, 18], [12, 18]),
        (2, 5, 3, [1, 2], [1, 2]),
    ],
)
def test_it_saves_at_even_steps_and_validates_at_the_last_of_them(steps, saves, evaluations, saved, scored):
    schedule = Schedule(steps, saves, evaluations, "train", tiny.attach("lora", "llama"))
    assert (schedule.saved, schedule.scored) == (saved, scored)
