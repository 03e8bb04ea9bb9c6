"""Fields of all rows: what is out of bounds, of a wrong kind or not finite is told in one line with its place."""

import copy
import math
from typing import Any

import pytest
import yaml
from base_rows import PARAMETERS, PROJECT

from peft_pipelines.config import Grid, Parameters, parse, with_names
from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.evaluation.metrics.registry import METRICS

GRID: dict[str, Any] = {"methods": ["lora"], "models": ["smollm2_135m"], "tasks": ["sst2"], "seeds": ["s0"]}


def base() -> dict[str, Any]:
    """The parameters of conf/base, with one row of each axis."""
    merged: dict[str, Any] = {}
    for file in sorted(PARAMETERS.rglob("*.yml")):
        for name, part in yaml.safe_load(file.read_text()).items():
            merged[name] = {**merged.get(name, {}), **part} if isinstance(part, dict) else part
    kept = {"methods": ("lora", "galore"), "models": ("smollm2_135m",), "tasks": ("sst2", "mnli", "stsb")}
    return {**merged, **{axis: {name: merged[axis][name] for name in names} for axis, names in kept.items()}}


BASE = base()


def changed(path: str, value: object) -> dict[str, Any]:
    """The parameters with one field set."""
    made = copy.deepcopy(BASE)
    *parents, field = path.split("/")
    place = made
    for name in parents:
        place = place[name]
    place[field] = value
    return made


def refusal(path: str, value: object) -> str:
    """The one line that a field's value is refused with."""
    with pytest.raises(ConfigError) as caught:
        rows = Parameters.of(changed(path, value))
        rows.check(Grid(**GRID))
    message = str(caught.value)
    assert len(message.splitlines()) == 1 and len(message) < 800 and message.isprintable()
    return message


TRAINING = (
    "epochs batch_size gradient_accumulation_steps learning_rate warmup_ratio weight_decay max_grad_norm max_length "
    "evaluations validation_cost generation_batch_size tokens_per_forward"
)
NUMBERS = [
    *(f"training/{name}" for name in TRAINING.split()),
    *(f"methods/lora/training/{name}" for name in ("epochs", "batch_size", "learning_rate", "warmup_ratio")),
    *(f"sampling/{name}" for name in ("split_seed", "validation_share", "train_rows", "validation_rows", "test_rows")),
    *(f"pscp/{name}" for name in ("c_p", "c_f", "c_m", "beta_p", "beta_f", "beta_m")),
    *(f"execution/{name}" for name in ("seconds", "memory_mb", "processes", "file_mb", "output_kb")),
    *("tasks/sst2/max_new_tokens", "tasks/sst2/max_length", "methods/lora/shots", "seeds/s0"),
    *("models/smollm2_135m/tokenizer/model_max_length", "published/peft_factory/values/ia3/sst2"),
]
NO_NUMBERS: list[Any] = [math.inf, -math.inf, math.nan, "1e-4", "many", True, [1], {"a": 1}, -(10**30), -1000]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("path", NUMBERS)
def test_what_is_no_number_of_the_field_is_refused(path: str, value: object) -> None:
    message = refusal(path, value)
    assert path.rpartition("/")[2] in message
    assert repr(value)[:20] in message


UNBOUNDED = {"training/learning_rate", "training/max_grad_norm", "methods/lora/training/learning_rate"}


@pytest.mark.parametrize("path", [path for path in NUMBERS if path not in UNBOUNDED])
def test_what_is_far_too_large_is_refused(path: str) -> None:
    assert path.rpartition("/")[2] in refusal(path, 10**31)
    assert "thousands of digits" in refusal(path, 10**5000)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("training/epochs", 1e9, "training, epochs: Input should be less than or equal to 10000, got 1000000000.0"),
        ("training/batch_size", 10**9, "training, batch_size: Input should be less than or equal to 65536"),
        ("training/learning_rate", 0, "training, learning_rate: Input should be greater than 0, got 0"),
        ("training/learning_rate", "1e-4", "got '1e-4'; write a number without quotes, with a point before its expo"),
        ("training/warmup_ratio", 1.0, "training, warmup_ratio: Input should be less than 1, got 1.0"),
        ("sampling/split_seed", -1, "sampling, split_seed: Input should be greater than or equal to 0, got -1"),
        ("sampling/train_rows", 64.0, "sampling, train_rows: Input should be a valid integer, got 64.0"),
        ("pscp/c_p", math.inf, "pscp, c_p: Input should be a finite number, got inf"),
        ("seeds/s0", 2**64, "parameters, seeds.s0: Input should be less than 4294967296"),
        ("seeds/s0", True, "parameters, seeds.s0: Input should be a valid integer, got True"),
        ("training", [1], "training: must be a row of fields, got [1]"),
        ("training", None, "training: must be a row of fields, got None"),
        ("tasks/sst2/metrics", "accuracy", "task 'sst2', metrics: must be a list, got 'accuracy'"),
        ("tasks/sst2/metrics", ["mcc", "mcc"], "task 'sst2', metrics: must name each once, got 'mcc' twice"),
        ("tasks/sst2/splits", [1], "task 'sst2', splits: must be a row of fields, got [1]"),
        ("tasks/sst2/instruction", " \n", "task 'sst2', instruction: must hold text, got ' \\n'"),
        ("tasks/sst2/instruction", "a\0b", "task 'sst2', instruction: must not hold the character NUL"),
        ("tasks/sst2/licence", False, "task 'sst2', licence: Input should be a valid string, got False; write yes, no"),
        ("tasks/sst2/citation", 2024, "got 2024; write a number in quotes where it is text"),
        ("tasks/sst2/name", "other", "task 'sst2': must not give a name of its own, got 'other'"),
        ("tasks/sst2/lablels", {}, "task 'sst2': unknown field 'lablels', did you mean 'labels'?"),
        ("methods/lora/config", [], "method 'lora', config: must be a row of fields, got []"),
        ("methods/lora/config", {"r": 10**10}, "method 'lora', config: r: must be from -2147483647 to 2147483647"),
        ("methods/lora/config", {"a": {"b": [math.nan]}}, "config: a.b.0: must be a finite number, got nan"),
        (
            "methods/lora/config",
            {1: 2},
            "config.1.[key]: Input should be a valid string, got 1; write a number in quotes",
        ),
        ("methods/lora/config", {"a": {1, 2}}, "config: a: must be text, a number, a list, a row, true, false or"),
        ("methods/lora/optimizer", {"type": "adamw", "x": math.inf}, "optimizer: x: must be a finite number"),
        ("methods/lora/type", "a/../b", "method 'lora', type: String should match pattern"),
        ("methods/lora/train_on", ["sst2", "sst2"], "train_on: must name each task once, got 'sst2' twice"),
        ("tasks/sst2/splits/train", "../x", "task 'sst2', splits.train: String should match pattern"),
        ("seeds", {"S 0": 1}, "String should match pattern"),
        ("models/smollm2_135m/dtype", "float8", "dtype: Input should be 'float32', 'bfloat16' or 'float16', got"),
        ("models/smollm2_135m/chat_template", "yes", "Input should be a valid boolean, got 'yes'"),
        ("tasks/sst2/type", "\x1b[2J" * 100, ""),
    ],
    ids=repr,
)
def test_the_line_names_place_value_and_what_is_allowed(path: str, value: object, words: str) -> None:
    if words:
        assert words in refusal(path, value)


def test_a_missing_part_is_named() -> None:
    for name in ("seeds", "training", "sampling", "pscp", "execution", "tasks", "published"):
        with pytest.raises(ConfigError, match=f"^parameters: '{name}' is missing$"):
            Parameters.of({key: part for key, part in BASE.items() if key != name})


def nested(depth: int) -> dict[str, Any]:
    """Rows inside each other."""
    return {"a": nested(depth - 1)} if depth else {}


def test_options_may_be_nested_but_not_without_end() -> None:
    Parameters.of(changed("methods/lora/config", {"rank_pattern": {"q_proj": 4}, "list": [[1, [2]]]}))
    assert "at most 8 lists or rows inside each other" in refusal("methods/lora/config", nested(100))


def texts(row: dict[str, Any], path: str) -> list[str]:
    """The paths of all fields of a row and of the rows inside it."""
    inside = [
        place for name, value in row.items() if isinstance(value, dict) for place in texts(value, f"{path}/{name}")
    ]
    return [*(f"{path}/{name}" for name in row), *inside]


AS_THEY_ARE = ("labels", "loss", "config", "optimizer", "training", "source", "notes", "metrics", "values", "seeds")
ONE_ROW = {"tasks": "sst2", "models": "smollm2_135m", "methods": "lora", "published": "peft_factory"}
FIELDS = [place for axis, name in ONE_ROW.items() for place in texts(BASE[axis][name], f"{axis}/{name}")]


@pytest.mark.parametrize("value", [[["nested"]], {"a": {"b": 1}}, object()], ids=["list", "row", "object"])
@pytest.mark.parametrize("path", [path for path in FIELDS if not set(path.split("/")[2:]) & set(AS_THEY_ARE)])
def test_no_field_takes_a_value_of_a_wrong_kind(path: str, value: object) -> None:
    assert path.rpartition("/")[2] in refusal(path, value)


class TestGrid:
    """Names of the grid."""

    def test_a_method_that_draws_nothing_has_the_cells_of_the_first_seed(self) -> None:
        grid = Grid(methods=["lora", "zero_shot"], models=["tiny"], tasks=["a", "b"], seeds=["s0", "s1"])
        assert len(grid.cells()) == 8
        found = [cell.id for cell in grid.with_seedless(["zero_shot"]).cells()]
        assert found[:4] == ["lora.tiny.a.s0", "lora.tiny.a.s1", "lora.tiny.b.s0", "lora.tiny.b.s1"]
        assert found[4:] == ["zero_shot.tiny.a.s0", "zero_shot.tiny.b.s0"]

    def check(self, parameters: dict[str, Any], **axes: list[str]) -> None:
        Parameters.of(parameters).check(parse(Grid, "grid.yml", {**GRID, **axes}))

    def test_two_seeds_with_one_value_are_one(self) -> None:
        with pytest.raises(ConfigError, match=r"^grid.yml: seeds 's0' and 's1' have the same values, name one of them"):
            self.check(changed("seeds", {"s0": 7, "s1": 7}), seeds=["s0", "s1"])
        self.check(changed("seeds", {"s0": 7, "s1": 7, "s2": 8}), seeds=["s0", "s2"])

    def test_a_model_under_two_names_is_one(self) -> None:
        row = BASE["models"]["smollm2_135m"]
        twin = changed("models/twin", {**row, "notes": "the same"})
        with pytest.raises(ConfigError, match="models 'smollm2_135m' and 'twin' have the same values"):
            self.check(twin, models=["smollm2_135m", "twin"])
        self.check(changed("models/twin", {**row, "dtype": "bfloat16"}), models=["smollm2_135m", "twin"])

    def test_a_task_of_one_source_under_two_names_is_one(self) -> None:
        row = BASE["tasks"]["sst2"]
        with pytest.raises(ConfigError, match="tasks 'sst2' and 'twin' have the same values"):
            self.check(changed("tasks/twin", row), tasks=["sst2", "twin"])
        self.check(changed("tasks/twin", {**row, "source": None}), tasks=["sst2", "twin"])

    def test_its_metric_stands_first_where_a_tasks_row_has_it(self) -> None:
        grid = parse(Grid, "grid.yml", {**GRID, "tasks": ["sst2", "stsb"], "metric": "macro_f1"})
        rows = Parameters.of(BASE)
        assert rows.metrics(grid, METRICS) == {
            "sst2": ["macro_f1", "accuracy", "binary_f1", "invalid_rate", "per_class"],
            "stsb": ["pearson", "spearman", "rmse", "invalid_number_rate"],
        }
        named = with_names(BASE, rows.metrics(grid, METRICS))["tasks"]
        assert named["sst2"] == {
            **BASE["tasks"]["sst2"],
            "name": "sst2",
            "metrics": rows.metrics(grid, METRICS)["sst2"],
        }
        assert named["mnli"]["metrics"] == BASE["tasks"]["mnli"]["metrics"]

    def test_an_environment_with_a_metric_alone_has_the_default_grid(self) -> None:
        loader = ConfLoader(str(PROJECT / "conf"), env="macro_f1", base_env="base", default_run_env="local")
        loader.config_patterns["grid"] = ["grid*"]
        default = yaml.safe_load((PROJECT / "conf/base/grid.yml").read_text())
        assert loader["grid"] == {**default, "metric": "macro_f1"}

    def test_without_a_metric_rows_are_as_they_stand(self) -> None:
        rows = Parameters.of(BASE)
        found = rows.metrics(parse(Grid, "grid.yml", {**GRID, "tasks": ["sst2", "stsb"]}), METRICS)
        assert found == {name: list(rows.tasks[name].metrics) for name in ("sst2", "stsb")}

    def test_a_method_may_be_repeated_under_another_name(self) -> None:
        self.check(changed("methods/again", BASE["methods"]["lora"]), methods=["lora", "again"])


@pytest.mark.parametrize(
    ("splits", "source", "words"),
    [
        ({"train": "train", "validation": "test", "test": "test"}, {}, "splits: must name each once, got 'test' twice"),
        ({"train": "test", "test": "test"}, {}, "splits: must name each once, got 'test' twice"),
        ({"train": "a", "validation": "a", "test": "b"}, {}, "splits: must name each once, got 'a' twice"),
        ({"train": "a", "test": "b"}, {"a": "x", "b": "x"}, "must name each once, got 'x' twice"),
        ({"train": "a", "test": "b"}, {"a": "b"}, "must name each once, got 'b' twice"),
        ({"train": "a", "test": "b"}, {"c": "b"}, "source.splits: unknown split 'c'. Allowed: a, b"),
    ],
)
def test_no_split_is_used_twice(splits: dict[str, str], source: dict[str, str], words: str) -> None:
    parameters = changed("tasks/sst2/splits", splits)
    parameters["tasks"]["sst2"]["source"]["splits"] = source
    with pytest.raises(ConfigError) as caught:
        Parameters.of(parameters)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({0: "yes", 1: "yes "}, "two labels share a word but for white space: 'yes'"),
        ({0: "caf\u00e9", 1: "cafe\u0301"}, "two labels share a word but for white space"),
        ({0: "invalid", 1: "valid"}, "no label may be 'invalid', as scores call an answer that is no label"),
        ({0: "a", 1: "a.a"}, "two counts of answers would both be called 'a.a.a'"),
        ({0: "yes"}, "must be 2 or more, got ['yes']"),
        ({}, "must be 2 or more, got []"),
        ({0: " ", 1: "b"}, "labels.0: must hold text, got ' '"),
        ({0: False, 1: True}, "YAML reads a bare yes, no, on or off as true or false: quote it"),
        ({0: "a", "0": "b"}, "the keys 0 and '0' match the same label"),
        ({True: "a", "true": "b"}, "the keys True and 'true' match the same label"),
        ({None: "a", 1: "b"}, "the key None is no text, quote it"),
        (["a", "b"], "labels: must be a row of fields, got ['a', 'b']"),
        ({0: ["a"], 1: "b"}, "the word of label 0 must be text, got ['a']"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(labels: object, words: str) -> None:
    assert words in refusal("tasks/sst2/labels", labels)


def test_a_label_may_hold_another_one() -> None:
    rows = Parameters.of(changed("tasks/sst2/labels", {0: "valid", 2: "not valid", True: "validated"}))
    assert rows.tasks["sst2"].labels == {0: "valid", 2: "not valid", "true": "validated"}
