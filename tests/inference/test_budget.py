import pytest
from made import free, method

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.inference.budget import answer_tokens


@pytest.mark.parametrize(
    ("own", "more", "positions", "config", "expected"),
    [
        (8, None, 1024, {}, 8),
        (8, 256, 1024, {}, 256),
        (320, 256, 1024, {}, 320),
        (8, 256, None, {}, 256),
        (8, 256, 600, {}, 600 - (512 - 8)),
        (8, 256, 512, {}, 8),
        (8, 256, 600, {"num_virtual_tokens": 20}, 600 - 20 - (512 - 8)),
    ],
)
def test_an_answer_is_as_long_as_task_method_and_model_allow(
    own: int, more: int | None, positions: int | None, config: dict[str, int], expected: int
) -> None:
    task = free().model_copy(update={"max_new_tokens": own})
    row = parse(MethodSpec, "method 'any'", {**method("any", "baseline"), "max_new_tokens": more, "config": config})
    assert answer_tokens(task, row, 512, positions) == expected
