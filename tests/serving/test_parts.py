"""Parts of a prediction: taken up where the plan is the same, and refused or removed where it is not."""

from pathlib import Path

import pytest

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.parts import Parts

PLAN = {"cell": "lora.tiny.mood.s0", "input": "abc"}
LINES = [{"prediction": "caf\u00e9 \u2028", "label_scores": {"no": -0.1234567890123456789, "yes": -1e-300}}]


def begun(folder: Path, plan: dict[str, str], *, overwrite: bool = False) -> Parts:
    parts = Parts.beside(folder / "out.parquet", plan)
    parts.begin(overwrite=overwrite)
    return parts


def test_a_part_is_what_was_kept(tmp_path: Path) -> None:
    parts = begun(tmp_path, PLAN)
    assert parts.load(0) is None and list(tmp_path.iterdir()) == []
    parts.keep(0, LINES)
    again = begun(tmp_path, dict(PLAN))
    assert again.load(0) == LINES and again.load(1) is None
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_another_plan_are_refused_or_begun_anew(tmp_path: Path) -> None:
    begun(tmp_path, PLAN).keep(0, LINES)
    other = {**PLAN, "input": "def"}
    with pytest.raises(ConfigError, match=r"out.parquet.parts' holds parts of a prediction with another cell or input"):
        begun(tmp_path, other)
    assert begun(tmp_path, PLAN).load(0) == LINES
    assert begun(tmp_path, other, overwrite=True).load(0) is None


def test_a_folder_without_a_plan_is_not_taken(tmp_path: Path) -> None:
    begun(tmp_path, PLAN).keep(0, LINES)
    (tmp_path / ".out.parquet.parts/plan.json").write_text("{")
    with pytest.raises(ConfigError, match="--overwrite begins anew"):
        begun(tmp_path, PLAN)
