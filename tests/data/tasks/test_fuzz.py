"""Whatever a raw row holds, adapting it gives text and answers, or our own one-line error."""

import json
from pathlib import Path
from typing import Any

import base_rows
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_rows import made_row

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.example import adapt_row

SAMPLES = Path(__file__).parents[3] / "data/01_raw/samples"

ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.integers(-2, 9),
    st.floats(allow_nan=True),
    st.lists(st.text(max_size=5), max_size=4),
    st.dictionaries(st.sampled_from(["text", "label"]), st.lists(st.text(max_size=3), max_size=3), max_size=2),
    st.sampled_from(["A", "1", "", " ", "[]", '["x"]', "{", "{}", "a ) 1 , b ) 2", "#### 5", "@placeholder"]),
)

DRAWN = 3 * settings().max_examples


def sample(name: str) -> dict[str, Any]:
    """The first training row among the embedded ones, or a made one where a task brings none."""
    path = SAMPLES / name / "train.jsonl"
    if not path.is_file():
        return made_row(name)
    with path.open(encoding="utf-8") as lines:
        row: dict[str, Any] = json.loads(next(lines))
    return row


@pytest.mark.parametrize("name", sorted(base_rows.TASKS))
def test_a_row_is_adapted_or_refused_in_one_line(name: str) -> None:
    task, row = base_rows.task_of(name), sample(name)
    changes = st.dictionaries(st.sampled_from(sorted(row)), ANYTHING, min_size=1, max_size=len(row))

    @settings(max_examples=DRAWN, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(changes, st.sets(st.sampled_from(sorted(row)), max_size=1))
    def holds(changed: dict[str, Any], dropped: set[str]) -> None:
        broken = {key: value for key, value in (row | changed).items() if key not in dropped}
        try:
            adapted = adapt_row(broken, task, "train row 0")
        except ConfigError as error:
            assert "\n" not in str(error) and f"task '{name}'" in str(error)
        else:
            assert adapted["input"].strip() and adapted["references"]
            assert all(isinstance(answer, str) and answer for answer in adapted["references"])

    holds()
