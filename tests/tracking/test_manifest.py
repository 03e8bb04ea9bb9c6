"""What a run puts on record, and what its cells' own records say."""

import getpass
import json
import platform
import socket
import tempfile
from pathlib import Path

import pandas as pd
from project import Project
from recorded import LORA, RUNS, ZERO, ids, manifest, only, original, read, recorded  # noqa: F401

HEX = 64


def test_a_run_is_on_record_with_all_it_rests_on(recorded: Project) -> None:  # noqa: F811
    (run_id,) = ids()
    found = manifest(run_id)
    assert (found["status"], found["command"]) == ("done", "kedro run --params=raw=raw,store=data")
    assert found["grid"]["methods"] == ["zero_shot", "lora"]
    assert set(found["environment"]) == {"code", "libraries", "python", "system", "hardware"}
    assert {"torch", "peft", "kedro"} <= found["environment"]["libraries"].keys()
    assert found["environment"]["hardware"]["threads"] >= 1
    assert found["made_on"] == [{**found["environment"]["hardware"], "cells": 2}]
    assert len(found["models"]["tiny"]["sha256"]["model.safetensors"]) == HEX
    assert found["data"]["mood"]["adapted"]["version"] == run_id
    assert set(found["data"]["mood"]["raw"]["sha256"]) == {"train.jsonl", "test.jsonl"}
    assert found["results"]["version"] == run_id
    assert list(found["cells"]) == [ZERO, LORA]


def test_a_cell_on_record_has_its_numbers_and_hashes(recorded: Project) -> None:  # noqa: F811
    (run_id,) = ids()
    cell = manifest(run_id)["cells"][LORA]
    assert (cell["status"], cell["run_id"]) == ("done", run_id)
    assert cell["artifacts"]["checkpoint"]["version"] == run_id
    assert set(cell["artifacts"]["checkpoint"]["sha256"]) == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "record.json",
    }
    metrics = read(only("07_model_output/tiny/mood/lora/s0/metrics.json"))
    assert cell["numbers"] == metrics
    assert (metrics["cell"], metrics["run_id"], metrics["checkpoint"]) == (LORA, run_id, run_id)


def test_a_checkpoints_record_says_where_it_comes_from(recorded: Project) -> None:  # noqa: F811
    record = read(only("06_models/tiny/mood/lora/s0/checkpoint/*/checkpoint/record.json"))
    origin = record["provenance"]
    assert origin["run_id"] == ids()[0]
    assert origin["started"] <= origin["ended"]
    assert origin["again"] == f"kedro reproduce {ids()[0]} --cell {LORA}"
    assert origin["task"]["instruction"] == "Good or bad?"
    assert origin["base_model"]["sha256"] == manifest(ids()[0])["models"]["tiny"]["sha256"]
    assert set(origin["data"]["prompts"]["sha256"]) == {"train.parquet", "validation.parquet", "test.parquet"}
    assert (record["seed"], record["provenance"]["sampling"]["validation_rows"]) == (0, 2)


def test_each_row_of_the_results_leads_to_its_cell(recorded: Project) -> None:  # noqa: F811
    for frame in (
        pd.read_parquet(only("08_reporting/results.parquet/*/results.parquet")),
        pd.read_csv("data/08_reporting/results.csv"),
    ):
        row = frame[frame["method"] == "lora"].iloc[0]
        assert [row["cell"], row["run_id"], row["checkpoint"]] == [LORA, ids()[0], ids()[0]]
        assert "git_commit" in frame.columns


def test_nothing_on_record_names_this_machine(recorded: Project) -> None:  # noqa: F811
    names = {platform.node(), socket.gethostname(), getpass.getuser()} - {"", "root", "localhost"}
    written = [path for path in Path("data").rglob("*") if path.is_file()]
    assert {".json", ".jsonl", ".yml", ".md", ".csv", ".parquet", ".html", ".tex"} <= {path.suffix for path in written}
    for path in written:
        content = path.read_bytes()
        assert tempfile.gettempdir().encode() not in content, path
        assert path.suffix in (".html", ".safetensors") or not any(name.encode() in content for name in names), path


def test_a_second_run_has_its_own_record_and_leaves_the_first(recorded: Project) -> None:  # noqa: F811
    (first,) = ids()
    before = Path(f"data/08_reporting/runs/{first}/manifest.json").read_bytes()
    recorded.kedro("run")
    assert Path(f"data/08_reporting/runs/{first}/manifest.json").read_bytes() == before
    second = manifest(ids()[1])
    assert second["cells"][LORA]["run_id"] == first  # it stood unchanged
    assert second["cells"][LORA]["artifacts"] == manifest(first)["cells"][LORA]["artifacts"]


def test_a_run_that_ends_early_is_on_record_as_failed(recorded: Project) -> None:  # noqa: F811
    (first,) = ids()
    before = manifest(first)
    Path("data/03_primary/mood/adapted").rename("elsewhere")
    Path("data/03_primary/mood/adapted").write_text("a file where a folder must be")
    assert recorded.kedro("run").exit_code == 1
    failed = manifest(ids()[1])
    assert failed["status"] == "failed"
    assert failed["reason"]
    assert manifest(first) == before


def test_a_killed_run_has_no_numbers_and_the_next_one_puts_them_on_record(recorded: Project) -> None:  # noqa: F811
    (first,) = ids()
    found = manifest(first)
    left = {key: value for key, value in found.items() if key not in ("models", "data", "results", "ended")}
    (RUNS / first / "manifest.json").write_text(json.dumps({**left, "status": "running", "cells": {}}))
    card = only("06_models/tiny/mood/lora/s0/checkpoint/*/checkpoint/README.md")
    card.write_text("no scores yet")
    for command in (("verify", first), ("reproduce", first), ("compare", first, first)):
        result = recorded.kedro(*command)
        assert result.exit_code == 1
        assert result.stderr.startswith(
            f"Error: RUN_ID: run '{first}' goes on or was killed, and has no number on record"
        )
    assert "no run is on record" in recorded.kedro("verify").stderr
    assert recorded.kedro("run").exit_code == 0
    assert manifest(ids()[1])["cells"][LORA]["run_id"] == first
    assert manifest(ids()[1])["cells"][LORA]["numbers"] == found["cells"][LORA]["numbers"]
    assert "| accuracy | 0.0000 | " in card.read_text()


def test_a_run_without_cells_cannot_be_reproduced(recorded: Project) -> None:  # noqa: F811
    assert recorded.kedro("run", "--pipelines=data").exit_code == 0
    result = recorded.kedro("reproduce", ids()[1])
    assert result.stderr == f"Error: RUN_ID: run '{ids()[1]}' has no cell on record (status: done)\n"


def test_times_and_commits_make_no_cell_stale(recorded: Project) -> None:  # noqa: F811
    result = recorded.kedro("run")
    assert result.stderr.splitlines()[0] == "2 of 2 cells are unchanged"


def test_kedros_own_runner_is_on_record_too(recorded: Project) -> None:  # noqa: F811
    result = recorded.kedro("run", "--runner=SequentialRunner")
    assert result.exit_code == 0, result.output
    found = manifest(ids()[1])
    assert found["asked"]["runner"] == "SequentialRunner"
    assert found["cells"][LORA]["run_id"] == ids()[1]
    assert recorded.kedro("verify").exit_code == 0
