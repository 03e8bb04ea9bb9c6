"""Raw rows are tried before a run, and once: again where the rows, the task or the sampling are others."""

from pathlib import Path

import pytest
from base_rows import ALL_ROWS as SAMPLING
from kedro.io import DataCatalog, MemoryDataset

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.running import rows_check
from peft_pipelines.running.rows_check import check_rows
from peft_pipelines.storage.splits import RowsFolder

TASK = parse(
    TaskSpec,
    "task 'sum'",
    {
        "name": "sum",
        "type": "arithmetic",
        "instruction": "Add.",
        "source": {"repo": "nobody/sum"},
        "splits": {"train": "train", "validation": "validation", "test": "test"},
        "input": "{question}",
        "target": "{answer}",
        "metrics": ["number_accuracy"],
        "max_new_tokens": 8,
        "licence": "-",
        "citation": "-",
    },
)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataCatalog:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "raw").mkdir()
    for split in ("train", "validation", "test"):
        (tmp_path / "raw" / f"{split}.csv").write_text(f"question,answer\n1 + 1 in {split},2\n1 + 2 in {split},3\n")
    return DataCatalog({names.raw("sum"): RowsFolder(filepath=str(tmp_path / "raw"))})


@pytest.fixture
def tried(catalog: DataCatalog, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks whose rows are adapted, after they were tried once."""
    check_rows(TASK, SAMPLING, catalog)
    found: list[str] = []
    adapt = rows_check.adapt

    def counted(raw, task, sampling):
        found.append(task.name)
        return adapt(raw, task, sampling)

    counted.__module__ = adapt.__module__
    monkeypatch.setattr(rows_check, "adapt", counted)
    return found


def test_sound_rows_are_not_tried_again(catalog: DataCatalog, tried: list[str]) -> None:
    check_rows(TASK, SAMPLING, catalog)
    assert tried == []


def test_other_rows_another_task_and_another_draw_are_tried(
    catalog: DataCatalog, tried: list[str], tmp_path: Path
) -> None:
    check_rows(TASK.model_copy(update={"input": "Q: {question}"}), SAMPLING, catalog)
    check_rows(TASK, SAMPLING.model_copy(update={"split_seed": 1}), catalog)
    (tmp_path / "raw/test.csv").write_text("question,answer\n2 + 2,4\n3 + 3,6\n")
    check_rows(TASK, SAMPLING, catalog)
    assert tried == ["sum"] * 3


def test_a_fault_is_told_each_time(catalog: DataCatalog, tmp_path: Path) -> None:
    (tmp_path / "raw/test.csv").write_text("question,answer\n2 + 2,4\n3 + 3,\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match="task 'sum', test row 1: empty answer"):
            check_rows(TASK, SAMPLING, catalog)


def test_rows_in_memory_are_tried_each_time(catalog: DataCatalog, tried: list[str]) -> None:
    memory = DataCatalog({names.raw("sum"): MemoryDataset(catalog.load(names.raw("sum")))})
    for _ in range(2):
        check_rows(TASK, SAMPLING, memory)
    assert tried == ["sum"] * 2
