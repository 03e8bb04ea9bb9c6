"""What a run takes beside its work."""

import json
import sys
from pathlib import Path

import idle
import pytest
import sides


def test_memory_that_was_given_back_counts() -> None:
    code = "import time; x = b'1' * 300_000_000; time.sleep(0.5); del x\nwhile time.process_time() < 0.5: pass"
    run = idle.watched([sys.executable, "-c", code])
    assert run.peak > 300 and 0.5 <= run.cpu < 5


def test_a_run_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="no such row"):
        idle.watched([sys.executable, "-c", "import sys; sys.exit('no such row')"])


def test_the_work_of_a_cell_is_read_from_its_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "07_model_output/smollm2_135m/sst2/lora/s0"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"train_cpu_seconds": 20.0, "generate_cpu_seconds": 5.0}))
    cell = sides.Cell(tmp_path, "sst2", 128, 64, "question")
    assert idle.work(tmp_path, cell) == {"training": 20.0, "generation": 5.0}
