"""A user's mistakes, through the command line: one line that names the bad value and the allowed ones, no training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from project import Project, project  # noqa: F401

from peft_pipelines.methods import installed
from peft_pipelines.models import enough_memory

Change = Callable[[Project], Any]


def config(folder: Project, **keys: Any) -> None:
    path = folder.folder / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def pickled(folder: Project) -> None:
    model = folder.folder / "model"
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def no_rows(folder: Project) -> None:
    for path in (folder.folder / "raw" / "mood").iterdir():
        path.unlink()


def broken_custom(folder: Project) -> None:
    broken = folder.folder / "methods" / "broken"
    broken.mkdir()
    (broken / "config.py").write_text("import nothing_of_this_name\n")
    (broken / "model.py").write_text("")


def uses_broken_custom(folder: Project) -> None:
    broken_custom(folder)
    folder.method("bitfit", type="broken")


def reserved(folder: Project) -> None:
    folder.method("majority", **yaml.safe_load((folder.folder / "conf/base/parameters/methods/lora.yml").read_text()))


def tokenizer(folder: Project, template: str | None, **keys: Any) -> None:
    """Give the model another chat template, or other special tokens."""
    for path in (folder.folder / "model").glob("*token*"):
        path.unlink()
    for path in (folder.folder / "model").glob("*template*"):
        path.unlink()
    made = tiny.tokenizer(template)
    for key, value in keys.items():
        setattr(made, key, value)
    made.save_pretrained(folder.folder / "model")


def no_end_of_text(folder: Project) -> None:
    tokenizer(folder, None, eos_token=None)
    folder.parameters["models"]["tiny"]["chat_template"] = False


def checkpointed(folder: Project) -> None:
    folder.method("prefix_tuning")
    folder.parameters["training"]["gradient_checkpointing"] = True


OF_ADAPTERS = "field of adapters"
CASES: dict[str, tuple[Change, list[str]]] = {
    "task": (
        lambda p: p.grid.update(tasks=["moot"]),
        ["grid.yml: unknown task 'moot', did you mean 'mood'?", "Allowed: ", "sst2"],
    ),
    "method": (lambda p: p.grid.update(methods=["lora2"]), ["unknown method 'lora2', did you mean 'lora'?", "bitfit"]),
    "model": (
        lambda p: p.grid.update(models=["tinny"]),
        ["unknown model 'tinny', did you mean 'tiny'?", "smollm2_135m"],
    ),
    "seed": (lambda p: p.grid.update(seeds=["s9"]), ["unknown seed 's9'", "s0, s1"]),
    "field of a task": (
        lambda p: p.task.update(metricks=["x"]),
        ["task 'mood': unknown field 'metricks', did you mean 'metrics'?"],
    ),
    "metric": (
        lambda p: p.task.update(metrics=["acuracy"]),
        ["task 'mood', metrics: unknown metric 'acuracy'", "accuracy", "macro_f1"],
    ),
    "diagnostic as the first metric": (
        lambda p: p.task.update(metrics=["invalid_rate", "accuracy"]),
        ["task 'mood', metrics: 'invalid_rate' is a diagnostic and cannot come first. Allowed: accuracy, macro_f1"],
    ),
    "metric of another kind of task": (
        lambda p: p.task.update(metrics=["accuracy", "rmse"]),
        ["task 'mood', metrics: 'rmse' is for numbers, this task is of 2 labels. Allowed: accuracy, macro_f1"],
    ),
    "column of the label": (
        lambda p: p.task.update(label="lable"),
        ["task 'mood', split 'train': unknown column 'lable', did you mean 'label'?", "Allowed: ", "sentence"],
    ),
    "column of a template": (
        lambda p: p.task.update(input="{sentense}"),
        ["task 'mood', split 'train': unknown column 'sentense', did you mean 'sentence'?", "label"],
    ),
    "label": (
        lambda p: p.rows(train=[{"sentence": "x", "label": 7}]),
        ["split 'train': unknown label '7'", "Allowed: 0, 1"],
    ),
    "hidden label": (
        lambda p: p.rows(test=[{"sentence": "x", "label": -1}]),
        ["split 'test': label '-1' is a hidden test label", "Allowed: 0, 1"],
    ),
    "missing split": (
        lambda p: p.task.update(splits={"train": "train", "test": "dev"}),
        ["task 'mood': unknown split 'dev'", "Allowed: ", "train"],
    ),
    "empty split": (lambda p: p.rows(test=[]), ["split 'test' is empty"]),
    "broken file": (
        lambda p: (p.folder / "raw/mood/test.jsonl").write_text("sentence,label\n"),
        ["raw/mood/test.jsonl', line 1, column 1: not JSON"],
    ),
    "no rows": (no_rows, ["no rows in folder", "raw/mood", "<split>.jsonl"]),
    "target module": (
        lambda p: p.method("lora", config={"target_modules": ["x_proj"]}),
        ["method 'lora' on model type 'llama'", "x_proj", "k_proj"],
    ),
    "field of peft": (
        lambda p: p.method("lora", config={"rr": 4}),
        ["method 'lora', config: unknown field 'rr'", "lora_alpha"],
    ),
    OF_ADAPTERS: (
        lambda p: p.method("sequential_bottleneck", config={"reduction_fctor": 4}),
        ["unknown field 'reduction_fctor', did you mean 'reduction_factor'?", "non_linearity"],
    ),
    "field of a custom method": (
        lambda p: p.method("bitfit", config={"targets": 1}),
        ["method 'bitfit', config: unknown field 'targets'", "target_modules"],
    ),
    "field of the training arguments": (
        lambda p: p.method("lora", training={"learning_rte": 1.0}),
        ["method 'lora', training: unknown field 'learning_rte', did you mean 'learning_rate'?", "epochs"],
    ),
    "type of a method": (
        lambda p: p.method("lora", type="LORRA"),
        ["method 'lora': unknown type 'LORRA', did you mean 'LORA'?"],
    ),
    "provider": (
        lambda p: p.method("lora", provider="hf"),
        ["method 'lora': unknown provider 'hf'", "hf_peft", "adapters"],
    ),
    "auto_map": (
        lambda p: config(p, auto_map={"AutoModel": "x.Y"}),
        ["model 'tiny'", "config.json has the key 'auto_map'"],
    ),
    "attention of a file's own": (
        lambda p: config(p, _attn_implementation_internal="x/y"),
        ["model 'tiny'", "the key '_attn_implementation_internal'"],
    ),
    "pickle weights": (pickled, ["model 'tiny'", "pickle weights (pytorch_model.bin)", "*.safetensors"]),
    "seed that is no number": (
        lambda p: p.parameters.update(seeds={"s0": "x"}),
        ["parameters, seeds.s0: Input should be a valid integer, got 'x'"],
    ),
    "empty task": (
        lambda p: p.parameters["tasks"].update(mood=None),
        ["task 'mood': must be a row of fields, got None"],
    ),
    "empty method": (
        lambda p: p.parameters.update(methods={"lora": None}),
        ["method 'lora': must be a row of fields, got None"],
    ),
    "empty model": (
        lambda p: p.parameters["models"].update(tiny=None),
        ["model 'tiny': must be a row of fields, got None"],
    ),
    "no rows of an axis": (
        lambda p: p.parameters.update(methods=None),
        ["parameters, methods: must be rows by name, got None"],
    ),
    "task named twice": (
        lambda p: p.grid.update(tasks=["mood", "mood"]),
        ["grid.yml: tasks must name each row once, got 'mood' twice"],
    ),
    "seed named twice": (
        lambda p: p.grid.update(seeds=["s0", "s1", "s0"]),
        ["grid.yml: seeds must name each row once, got 's0' twice"],
    ),
    "method with a reserved name": (
        reserved,
        ["grid.yml: a method must not be called majority or random or profiles, got 'majority'"],
    ),
    "no room for a prompt": (
        lambda p: p.task.update(max_new_tokens=64, max_length=64),
        ["task 'mood': max_new_tokens must leave room for a prompt in max_length 64, got 64"],
    ),
    "no room for a prompt under a method": (
        lambda p: (p.task.update(max_new_tokens=64), p.method("lora", training={"max_length": 60})),
        ["task 'mood': max_new_tokens must leave room for a prompt in max_length 60, got 64"],
    ),
    "no chat template": (
        lambda p: tokenizer(p, None),
        ["model 'tiny', folder 'model': chat_template must be false, got true: its tokenizer has none"],
    ),
    "no end of turn": (
        lambda p: tokenizer(p, tiny.UNCLOSED),
        ["model 'tiny', folder 'model': tokenizer '", "no special token ends an answer"],
    ),
    "no end of text": (
        no_end_of_text,
        ["model 'tiny', folder 'model': tokenizer '", "no special token ends an answer"],
    ),
    "gradient checkpointing": (
        checkpointed,
        ["method 'prefix_tuning': gradient_checkpointing must be false, got true: without a cache"],
    ),
    "broken custom method": (uses_broken_custom, ["methods/broken'", "config.py", "nothing_of_this_name"]),
}


@pytest.mark.parametrize("name", [name for name in CASES if name != OF_ADAPTERS or installed.is_installed("adapters")])
def test_one_line_before_any_training(project: Project, name: str) -> None:  # noqa: F811
    change, words = CASES[name]
    change(project)
    result = project.kedro("run")
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert (result.exit_code, len(errors)) == (1, 1), result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in errors[0]
    assert result.output.strip() == errors[0]
    assert not list(Path("data").rglob("checkpoint")), "it must not have trained"


def test_the_stock_runner_tells_it_in_one_line_too(project: Project) -> None:  # noqa: F811
    project.grid.update(tasks=["moot"])
    result = project.kedro("run", "--runner=SequentialRunner")
    assert result.exit_code == 1
    assert result.output.startswith("Error: grid.yml: unknown task 'moot'")
    assert len(result.output.splitlines()) == 1


def test_a_model_larger_than_the_memory_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(enough_memory, "all_memory", lambda: 100_000)
    result = project.kedro("run")  # which trains nothing
    assert result.exit_code == 1
    assert result.output == (
        "Error: model 'tiny': its weights alone take, in float32, 129.7 kB at least, this machine has 100.0 kB: take a "
        "smaller model, dtype: bfloat16 or a machine with more memory\n"
    )
    assert not Path("data").exists()


def test_a_broken_custom_method_does_not_break_a_run_without_it(project: Project) -> None:  # noqa: F811
    broken_custom(project)
    result = project.kedro("run")
    assert result.exit_code == 0, result.output
    assert "[1/1] zero_shot · tiny · mood · s0: accuracy" in result.output


def test_a_row_is_refused_whose_library_is_not_installed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    if installed.is_installed("adapters"):
        monkeypatch.setitem(installed.OPTIONAL, "adapters", "no_such_library")
    library = installed.OPTIONAL["adapters"]
    project.method("sequential_bottleneck")
    result = project.kedro("run")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: method 'sequential_bottleneck': {library} is not installed, which provider 'adapters' needs. "
        "Usable here: hf_peft, custom, weights, none\n"
    )


@pytest.mark.parametrize("option", ["--pipeline=benchmrk", "--pipelines=data,benchmrk"])
def test_an_unknown_pipeline_is_told_with_the_known_ones(project: Project, option: str) -> None:  # noqa: F811
    result = project.kedro("run", option)
    assert result.exit_code == 1
    assert result.output == (
        "Error: --pipelines: unknown pipeline 'benchmrk', did you mean 'benchmark'? "
        "Allowed: data, report, benchmark, __default__\n"
    )


@pytest.mark.parametrize("runner", ["ParallelRunner", "ThreadRunner"])
def test_a_runner_that_cannot_work_is_refused(project: Project, runner: str) -> None:  # noqa: F811
    result = project.kedro("run", f"--runner={runner}")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: --runner: '{runner}' cannot run this project, which has one model at a time, in one process. "
        "Allowed: CellRunner, SequentialRunner, RayRunner\n"
    )


def test_a_task_without_source_needs_its_rows_on_disk(project: Project) -> None:  # noqa: F811
    del project.task["source"]
    assert project.kedro("run", "--pipeline=data").exit_code == 0
    no_rows(project)
    project.write("hub")
    result = project.kedro("run", "--env=hub")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: task 'mood': no rows in folder '")
    assert result.output.endswith("raw/mood', and no source to fetch them from\n")


def test_other_errors_are_not_hidden(project: Project) -> None:  # noqa: F811
    result = project.kedro("run", "--runner=broken_runner.BrokenRunner")
    assert result.exit_code == 1
    assert isinstance(result.exception, RuntimeError)
    assert str(result.exception) == "a fault of the code's own"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{type: nope.Nope}", "No module named 'nope'"),
        ("{type: pandas.NopeDataset}", "'NopeDataset' not found in 'pandas'"),
        ("{type: pandas.CSVDataset}", "missing 1 required keyword-only argument: 'filepath'"),
        ("{type: pandas.CSVDataset, filepath: a.csv, nope: 1}", "unexpected keyword argument 'nope'"),
        ("{filepath: a.csv}", "'type' is missing"),
        ("{type: 5}", "must be a class"),
        ("5", "is not a valid dataset configuration"),
    ],
)
def test_a_row_of_the_catalog_that_makes_no_data_set(row: str, says: str, project: Project) -> None:  # noqa: F811
    (project.folder / "conf/local/catalog.yml").write_text(f"results: {row}\n")
    done = project.kedro("run")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: catalog.yml: ") and "'results'" in line and says in line
