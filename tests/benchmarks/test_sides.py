"""The cell of the benchmarks, its run, and the cost of a command."""

import sys
from pathlib import Path

import pytest
import sides
from kedro.config import OmegaConfigLoader
from light import PROJECT

from peft_pipelines.config import Grid, Parameters

CELL = sides.Cell(PROJECT / "data/01_raw/samples", "sst2", 12, 6, "question")


def test_the_run_is_of_the_one_cell_with_its_limits(tmp_path: Path) -> None:
    command = sides.kedro_run(tmp_path, CELL, max_length=99)
    merged = {"base_env": "base", "default_run_env": "bench", "merge_strategy": {"parameters": "soft"}}
    loader = OmegaConfigLoader(str(tmp_path / "conf"), config_patterns={"grid": ["grid*"]}, **merged)
    rows, grid = Parameters.of(loader["parameters"]), Grid(**loader["grid"])
    rows.check(grid)
    assert [len(grid.methods), len(grid.tasks), len(grid.models), len(grid.seeds)] == [1, 1, 1, 1]
    assert (rows.sampling.train_rows, rows.sampling.test_rows, rows.sampling.train_unit) == (12, 6, "question")
    assert (rows.training.max_length, rows.training.batch_size) == (99, sides.BATCH)
    assert f"--params=store={tmp_path}/store,raw={CELL.raw}" in command


def test_the_limit_of_a_task_is_that_of_both_sides() -> None:
    usual, long = (sides.rows_of(sides.Cell(Path(), task, 1, 1, "question"))[2] for task in ("sst2", "multirc"))
    assert (usual["max_length"], long["max_length"]) == (512, 1024)


def test_the_cost_of_a_command_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    work = "import time; print('done'); x = b'1' * 300_000_000\nwhile time.process_time() < 0.5: pass"
    cost = sides.timed([sys.executable, "-c", work])
    assert "done" in capsys.readouterr().out
    assert 0.5 <= cost.cpu < 5 and cost.wall >= 0.5 and cost.peak > 300


def test_a_command_has_one_thread_and_what_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    sides.timed([sys.executable, "-c", "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['SIDE'])"], SIDE="a")
    assert capsys.readouterr().out.strip() == "1 a"


def test_a_command_that_fails_ends_the_benchmark_with_what_it_printed() -> None:
    with pytest.raises(SystemExit, match="no such row"):
        sides.timed([sys.executable, "-c", "print('no such row'); exit(3)"])


def test_ratios_are_to_the_first_side(capsys: pytest.CaptureFixture[str]) -> None:
    ours, train, predict = sides.Cost(10, 8, 1000), sides.Cost(30, 28, 3000), sides.Cost(10, 4, 500)
    sides.compare(CELL, {"ours": ours, "theirs": train.then(predict)})
    printed = capsys.readouterr().out.splitlines()
    assert "| ours | 10.0 | 8.0 | 1,000 | 1.00 | 1.00 | 1.00 |" in printed
    assert "| theirs | 40.0 | 32.0 | 3,000 | 4.00 | 4.00 | 3.00 |" in printed


def test_an_environment_that_has_the_packages_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "installed.json").write_text('["some==1"]')
    assert sides.environment(tmp_path, ["some==1"]) == tmp_path / "bin/python"
    assert [path.name for path in tmp_path.iterdir()] == ["installed.json"]


def test_memory_that_was_given_back_counts() -> None:
    code = "import time; x = b'1' * 300_000_000; time.sleep(0.5); del x\nwhile time.process_time() < 0.5: pass"
    run = sides.timed([sys.executable, "-c", code])
    assert run.peak > 300 and 0.5 <= run.cpu < 5


def test_a_run_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="no such row"):
        sides.timed([sys.executable, "-c", "import sys; sys.exit('no such row')"])
