"""What a run takes beside its work."""

import json
from pathlib import Path

import idle
import sides


def test_the_work_of_a_cell_is_read_from_its_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "07_model_output/smollm2_135m/sst2/lora/s0"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"train_cpu_seconds": 20.0, "generate_cpu_seconds": 5.0}))
    cell = sides.Cell(tmp_path, "sst2", 128, 64, "question")
    assert idle.work(tmp_path, cell) == {"training": 20.0, "generation": 5.0}
