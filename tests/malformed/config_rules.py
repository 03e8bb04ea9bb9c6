"""What can be wrong with values of the configuration: each field with values of other kinds, and rows that misfit."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from malformed import Rule, edit, method, task

NAN, INF, HUGE = float("nan"), float("inf"), 10**12
BAD: dict[str, list[Any]] = {
    "a whole number": [True, "4", 1.5, None, [4], -1, NAN, HUGE, {"of": 4}, 0, INF, ""],
    "a number": [False, NAN, "0.1", INF, None, [1.0], -1.0, "half", {"of": 1}, -1e300],
    "true or false": ["true", 1, None, [], 0, "no", 1.0, {}],
    "text": [5, None, "", True, ["a"], "  ", 1.5, {"of": "a"}, "a\0b"],
    "a row": [5, "a", None, [], True],
    "a choice": ["nope", 5, None, True, [], ""],
    "names": [[], None, 5, "mood, mood", ["mood", 5], [""], True, {"mood": 1}, [None], ["Mood"], ["a/b"], [["mood"]]],
}
"""Values that do not fit a field of a kind."""

Change = Callable[[Path, str, Any], object]


def part(name: str, folder: Path, field: str, value: Any) -> None:
    """Change a field of a part of the parameters without rows, such as the training arguments."""
    edit(folder, "conf/local/parameters.yml", lambda values: values.setdefault(name, {}).update({field: value}))


def grid(folder: Path, field: str, value: Any) -> None:
    """Change a field of the grid."""
    edit(folder, "conf/local/grid.yml", lambda values: values.update({field: value}))


def of_task(folder: Path, field: str, value: Any) -> None:
    task(folder, **{field: value})


def of_model(folder: Path, field: str, value: Any) -> None:
    edit(folder, "conf/local/parameters.yml", lambda values: values["models"]["tiny"].update({field: value}))


def of_method(folder: Path, field: str, value: Any) -> None:
    method(folder, "lora", **{field: value})


ROWS: dict[str, tuple[Change, dict[str, str]]] = {
    "training": (
        partial(part, "training"),
        {
            "a whole number": "batch_size gradient_accumulation_steps max_length evaluations generation_batch_size "
            "tokens_per_forward",
            "a number": "epochs learning_rate max_grad_norm weight_decay warmup_ratio",
            "true or false": "gradient_checkpointing deterministic packed_batches shared_prefix label_positions_only "
            "length_buckets flex_attention",
            "a choice": "schedule",
            "a row": "loss",
        },
    ),
    "sampling": (
        partial(part, "sampling"),
        {"a whole number": "split_seed", "a number": "validation_share", "a choice": "train_unit"},
    ),
    "pscp": (partial(part, "pscp"), {"a number": "c_p c_f c_m beta_p beta_f beta_m"}),
    "execution": (
        partial(part, "execution"),
        {"a whole number": "seconds memory_mb processes file_mb output_kb", "true or false": "enabled"},
    ),
    "energy": (partial(part, "energy"), {"true or false": "enabled", "a choice": "country"}),
    "task 'mood'": (
        of_task,
        {
            "text": "type instruction input label licence citation",
            "a whole number": "max_new_tokens",
            "true or false": "ignore_case",
            "a row": "splits labels",
            "names": "metrics",
        },
    ),
    "model 'tiny'": (
        of_model,
        {"text": "folder licence citation", "true or false": "chat_template", "a choice": "dtype"},
    ),
    "method 'lora'": (
        of_method,
        {
            "text": "provider type citation",
            "a choice": "family",
            "a row": "config training optimizer",
            "true or false": "starts_at_base keep_weights",
            "a whole number": "shots",
        },
    ),
    "grid.yml": (grid, {"names": "methods models tasks seeds"}),
}
"""The rows: how a field of each is changed, and its fields by kind."""

FITTING = {
    ("task 'mood'", "metrics"): ["mood, mood"],
    ("grid.yml", "tasks"): [["Mood"]],
    ("pscp", "beta_p"): [0],
    ("method 'lora'", "shots"): [0],
    ("method 'lora'", "config"): [[]],
    ("sampling", "split_seed"): [0],
    ("training", "weight_decay"): [],
}
EACH = 4
"""Values that are tried with each field."""


def values(kind: str, number: int) -> Iterator[Any]:
    """Some of the values, others for each field of a kind."""
    bad = BAD[kind]
    return (bad[(number * EACH + step) % len(bad)] for step in range(min(EACH, len(bad))))


def fields() -> Iterator[Rule]:
    """A rule for each field and each value."""
    for place, (change, kinds) in ROWS.items():
        for kind, names in kinds.items():
            for number, field in enumerate(names.split()):
                for value in values(kind, number):
                    if value not in FITTING.get((place, field), []):
                        yield Rule(
                            f"{place}, {field}: {value!r} for {kind}",
                            lambda folder, change=change, field=field, value=value: change(folder, field, value),
                            [place, field],
                        )


FIELDS = list(fields())


def rule_of(place: str, change: Change, field: str, value: Any, *says: str) -> Rule:
    return Rule(f"{place}, {field}: {value!r:.80}", lambda folder: change(folder, field, value), [place, *says])


def several(*changes: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for change in changes:
            change(folder)

    return spoil


TASK = [
    rule_of("task 'mood'", of_task, field, value, *says)
    for field, value, says in (
        ("label", "lable", ["unknown column 'lable', did you mean 'label'?"]),
        ("labels", {0: "good"}, ["labels: must be 2 or more, got ['good']"]),
        ("labels", {}, ["labels: must be 2 or more"]),
        ("labels", {0: "yes", 1: "yes "}, ["labels: two labels share a word but for white space: 'yes'"]),
        ("labels", {0: "invalid", 1: "valid"}, ["labels: no label may be 'invalid'"]),
        ("labels", {0: "a", 1: "b.a", 2: "a.b"}, ["labels", "write labels without points"]),
        ("labels", {0: "", 1: "good"}, ["labels", "must hold text"]),
        ("labels", ["bad", "good"], ["labels", "got ['bad', 'good']"]),
        ("labels", None, ["label and labels go together"]),
        ("target", "{sentence}", ["exactly one of label, target and references is needed, got ['label', 'target']"]),
        ("references", "label", ["exactly one of label, target and references is needed"]),
        ("gold", "{label}", ["gold needs target"]),
        ("input", "Sentence: {sentence", ["input", "the brace at character 11 has no counterpart"]),
        ("input", "Sentence: sentence}", ["input", "the brace at character 19 has no counterpart"]),
        ("input", "{sentence:.3f}", ["input", "has a format, which templates do not know"]),
        ("input", "{}", ["input", "names no column"]),
        ("input", "no column", ["input", "must name a column"]),
        ("input", "{sentense}", ["unknown column 'sentense', did you mean 'sentence'?"]),
        ("group", "{passage}", ["unknown column 'passage'"]),
        ("question", "{sentence}", ["question needs group"]),
        ("tests", "cases", ["unknown column 'cases'"]),
        (
            "metrics",
            ["acc"],
            ["metrics: 'acc' needs the field continuations, such as {texts: ['no', 'yes']}. Allowed: "],
        ),
        ("continuations", {}, ["metrics: none reads the row's continuations. Allowed: acc, acc_norm"]),
        ("continuations", [], ["continuations"]),
        ("continuations", {"texts": ["no"]}, ["continuations.texts must be 2, one for each label, got 1"]),
        (
            "continuations",
            {"texts": ["{a", "b"]},
            ["continuations.texts.0", "the brace at character 1 has no counterpart"],
        ),
        ("continuations", {"texts": ["", "b"]}, ["continuations.texts.0: must hold text"]),
        ("continuations", {"texts": ["a", "b"], "column": "c"}, ["at most one of texts and column may be given"]),
        ("continuations", {"context": "Answer:"}, ["continuations.context: must name a column"]),
        ("continuations", {"choices": ["a", "b"]}, ["continuations: unknown field 'choices'. Allowed: "]),
        ("metrics", ["acuracy"], ["metrics: unknown metric 'acuracy', did you mean 'accuracy'?"]),
        ("metrics", ["accuracy", "accuracy"], ["metrics", "'accuracy' twice"]),
        ("metrics", ["invalid_rate"], ["metrics: 'invalid_rate' is a diagnostic and cannot come first. Allowed: "]),
        ("metrics", ["rmse"], ["metrics: 'rmse' is for numbers, this task is of 2 labels. Allowed: "]),
        ("metrics", ["rouge"], ["metrics: unknown metric 'rouge', did you mean 'rougeL'? Allowed: "]),
        ("metrics", ["accuracy", "bleu"], ["metrics: 'bleu'", "Allowed: "]),
        ("metrics", ["accuracy/x"], ["metrics: unknown metric 'accuracy/x'"]),
        ("splits", {"train": "train", "test": "train"}, ["splits", "'train' twice"]),
        ("splits", {"train": "train", "test": "test", "validation": "test"}, ["splits", "'test' twice"]),
        ("splits", {"train": "train"}, ["splits: exactly one of test and test_share is needed"]),
        ("splits", {"train": "train", "test": "dev"}, ["unknown split 'dev'. Allowed: "]),
        ("splits", {"train": "../train", "test": "test"}, ["splits.train", "'../train'"]),
        ("splits", {"train": "", "test": "test"}, ["splits.train"]),
        ("preprocess", "nope", ["preprocess: unknown function 'nope'. Allowed: "]),
        (
            "max_new_tokens",
            4,
            ["max_new_tokens must be at least 5, the tokens of label 'good' and of the end of the turn"],
        ),
        ("labels", {0: "entirely bad", 1: "good"}, ["max_new_tokens must be at least 13", "'entirely bad'", "got 5"]),
        ("max_new_tokens", 4096, ["max_new_tokens must leave room for a prompt in max_length 512, got 4096"]),
        ("max_length", 8, ["max_length: Input should be greater than or equal to 16, got 8"]),
        ("max_length", 100_000, ["max_length must be at most", "got 100000"]),
        ("name", "other", ["must not give a name of its own, got 'other'"]),
        ("metricks", ["accuracy"], ["unknown field 'metricks', did you mean 'metrics'? Allowed: "]),
        ("source", {"repo": "a/b", "confg": "c"}, ["source: unknown field 'confg', did you mean 'config'?"]),
        ("source", {"repo": "a/b", "splits": {"dev": "x"}}, ["source.splits: unknown split 'dev'. Allowed: train"]),
        ("source", "a/b", ["source: must be a row of fields, got 'a/b'"]),
    )
]
FREE: dict[str, Any] = {"label": None, "labels": None}
"""Fields of a task whose answers are text."""
CONTINUED = [
    Rule("task 'mood': " + says, partial(task, metrics=["acc"], **fields), ["task 'mood'", says])
    for fields, says in (
        ({**FREE, "target": "{label}", "continuations": {}}, "continuations need label and labels"),
        ({"continuations": {"texts": ["{wrong}", "b"]}}, "unknown column 'wrong'"),
        ({"continuations": {"column": "sentence"}}, "continuations: column 'sentence' must be a list, got 'line "),
    )
]
ANSWERS = [
    Rule(f"task 'mood': {metric} of {target}", partial(task, **FREE, target=target, metrics=[metric]), [*says])
    for metric, target, says in (
        ("rmse", "{sentence}", ["metrics: 'rmse' is for numbers, but in split", "a number is needed, got ['line "]),
        ("pearson", "{sentence}", ["metrics: 'pearson' is for numbers, but in split", "got ['line "]),
        ("spearman", "{label} of 5", ["metrics: 'spearman' is for numbers, this task is of composed text"]),
        ("macro_f1", "{label}", ["metrics: 'macro_f1' is for labels, this task is of free text. Allowed: "]),
        ("binary_f1", "{sentence}", ["metrics: 'binary_f1' is for two labels, this task is of free text"]),
    )
]
MODEL = [
    rule_of("model 'tiny'", of_model, field, value, *says)
    for field, value, says in (
        ("folder", "nowhere", ["'nowhere'"]),
        ("folder", "conf", ["'conf'"]),
        ("folder", "pyproject.toml", ["'pyproject.toml'"]),
        ("dtype", "float64", ["dtype: Input should be 'float32', 'bfloat16' or 'float16', got 'float64'"]),
        ("hub", {"repo": "a/b"}, ["exactly one of package, hub and folder is needed, got ['hub', 'folder']"]),
        ("hub", {"repo": "a/b", "rev": "x"}, ["hub: unknown field 'rev'. Allowed: repo, revision"]),
        ("date", "today", ["date", "'today'"]),
        ("date", "2024-13-01", ["date"]),
        ("chat_template_kwargs", {"messages": []}, ["chat_template_kwargs must not give 'messages'"]),
        ("chat_template_kwargs", {"A b": 1}, ["chat_template_kwargs"]),
        ("chat_templates", True, ["unknown field 'chat_templates', did you mean 'chat_template'?"]),
        ("name", "other", ["must not give a name of its own, got 'other'"]),
    )
]
METHODS: tuple[tuple[str, dict[str, Any], list[str]], ...] = (
    ("bitfit", {"type": "bitfit/../bitfit"}, ["type: String should match pattern", "'bitfit/../bitfit'"]),
    ("bitfit", {"type": "../methods/bitfit"}, ["type: String should match pattern"]),
    ("bitfit", {"type": "bitfti"}, ["unknown custom method 'bitfti', did you mean 'bitfit'?"]),
    ("bitfit", {"config": {"target_modules": 5}}, ["config", "target_modules"]),
    ("lora", {"type": "LORRA"}, ["unknown type 'LORRA', did you mean 'LORA'?"]),
    ("lora", {"provider": "hf"}, ["unknown provider 'hf'"]),
    ("lora", {"config": {"rr": 4}}, ["config: unknown field 'rr'"]),
    ("lora", {"config": {"r": 0}}, ["r"]),
    ("lora", {"config": {"r": -4}}, ["r"]),
    ("lora", {"config": {"r": 2.5}}, ["r", "2.5"]),
    ("lora", {"config": {"r": "8"}}, ["r", "'8'"]),
    ("lora", {"config": {"r": True}}, ["r", "True"]),
    ("lora", {"config": {"r": 10**9}}, ["r", "1000000000"]),
    ("lora", {"config": {"lora_dropout": 2.0}}, ["dropout probability has to be between 0 and 1", "2.0"]),
    ("lora", {"config": {"lora_alpha": INF}}, ["lora_alpha", "inf"]),
    ("lora", {"config": {"target_modules": []}}, ["target_modules"]),
    ("lora", {"config": {"target_modules": ["x_proj"]}}, ["x_proj", "q_proj"]),
    ("lora", {"config": {"target_modules": "("}}, ["target_modules: must be a regular expression, got '('"]),
    ("lora", {"config": {"rank_pattern": {"(": 4}}}, ["rank_pattern: must be a regular expression", "("]),
    ("lora", {"config": {"task_type": "NOPE"}}, ["task_type"]),
    ("lora", {"config": {"peft_type": "IA3"}}, ["peft_type"]),
    ("lora", {"config": {"bias": "some"}}, ["bias", "'some'"]),
    ("lora", {"optimizer": {"type": "nope"}}, ["optimizer", "'nope'"]),
    ("lora", {"optimizer": {"rank": 4}}, ["optimizer", "type"]),
    ("lora", {"optimizer": {"type": "adamw", "rank": 4}}, ["optimizer", "rank"]),
    ("lora", {"quantization": "int8"}, ["quantization: Input should be 'nf4', got 'int8'"]),
    ("lora", {"training": {"learning_rte": 1.0}}, ["training: unknown field 'learning_rte', did you mean"]),
    (
        "lora",
        {"training": {"validation_cost": 0}},
        ["training, validation_cost: Input should be greater than 0, got 0"],
    ),
    ("lora", {"training": {"validation_cost": "x"}}, ["training, validation_cost: ", "'x'"]),
    ("lora", {"training": {"learning_rate": 0}}, ["training, learning_rate: Input should be greater than 0, got 0"]),
    ("galore", {"optimizer": {"type": "galore_adamw", "rank": 10**9}}, ["rank: Input should be less than or equal to"]),
    ("bottleneck", {"config": {"reduction_factor": 10**9}}, ["reduction_factor: must be at most ", "got 1000000000"]),
    ("bottleneck", {"config": {"reduction_factor": {"default": 10**9}}}, ["reduction_factor: must be at most "]),
    ("lora", {"training": {"loss": {"type": "nope"}}}, ["loss", "'nope'"]),
    ("lora", {"training": {"loss": {"type": "label_smoothing", "smoothing": 2}}}, ["smoothing", "2"]),
    ("lora", {"training": {"loss": {"type": "cross_entropy", "smoothing": 0.1}}}, ["loss", "smoothing"]),
    ("lora", {"training": {"gradient_checkpointing": "no"}}, ["training, gradient_checkpointing"]),
    ("lora", {"train_on": ["mood", "mood"]}, ["train_on: must name each task once, got 'mood' twice"]),
    ("lora", {"train_on": ["moood"]}, ["train_on: unknown task 'moood', did you mean 'mood'?"]),
    ("lora", {"train_on": []}, ["train_on"]),
    ("lora", {"shots": 10_000}, ["shots: Input should be less than or equal to 1000, got 10000"]),
    ("lora", {"family": "loras"}, ["family: Input should be 'reparameterised'"]),
    ("lora", {"familly": "adapter"}, ["unknown field 'familly', did you mean 'family'?"]),
    ("prompt_tuning", {"config": {"num_virtual_tokens": 0}}, ["num_virtual_tokens", "0"]),
    ("prompt_tuning", {"config": {"num_virtual_tokens": -5}}, ["num_virtual_tokens", "-5"]),
    ("prompt_tuning", {"config": {"num_virtual_tokens": 10**6}}, ["num_virtual_tokens", "1000000"]),
    ("prompt_tuning", {"config": {"num_virtual_tokens": 10**9}}, ["num_virtual_tokens", "1000000000"]),
    ("prompt_tuning", {"config": {"num_virtual_tokens": 1.5}}, ["num_virtual_tokens", "1.5"]),
    ("prefix_tuning", {"config": {"num_virtual_tokens": 10**9}}, ["num_virtual_tokens", "1000000000"]),
    ("p_tuning", {"config": {"encoder_hidden_size": 10**9}}, ["encoder_hidden_size", "1000000000"]),
    ("p_tuning", {"config": {"encoder_hidden_size": 0}}, ["encoder_hidden_size"]),
    ("galore", {"optimizer": {"type": "galore_adamw", "rank": 0}}, ["rank", "0"]),
    ("galore", {"optimizer": {"type": "galore_adamw", "rnk": 4}}, ["rnk", "rank"]),
    ("galore", {"optimizer": {"type": "galore_adamw", "rank": 4, "scale": INF}}, ["scale", "inf"]),
    ("few_shot", {"shots": -1}, ["shots: Input should be greater than or equal to 0, got -1"]),
    ("few_shot", {"config": {"r": 8}}, ["config", "r"]),
    ("svft", {"config": {"pattern": "none"}}, ["pattern", "'none'"]),
    ("svft", {"config": {"off_diagonals": -1}}, ["off_diagonals", "-1"]),
    ("ia3", {"config": {"target_modules": ["k_proj"], "feedforward_modules": ["x_proj"]}}, ["feedforward_modules"]),
    ("sequential_bottleneck", {"config": {"reduction_fctor": 4}}, ["unknown field 'reduction_fctor'"]),
    ("sequential_bottleneck", {"config": {"reduction_factor": 0}}, ["reduction_factor", "0"]),
    ("sequential_bottleneck", {"config": {"non_linearity": "nope"}}, ["nope", "relu"]),
    ("majority", {}, ["grid.yml: a method must not be called majority or random or profiles, got 'majority'"]),
)
METHOD = [
    Rule(f"method '{name}': {row!r:.90}", partial(method, name=name, **row), [*says]) for name, row, says in METHODS
]
GRID = [
    rule_of("grid.yml", grid, field, value, *says)
    for field, value, says in (
        ("tasks", ["moood"], ["unknown task 'moood', did you mean 'mood'? Allowed: "]),
        ("methods", ["lorra"], ["unknown method 'lorra', did you mean 'lora'? Allowed: "]),
        ("models", ["tinny"], ["unknown model 'tinny', did you mean 'tiny'? Allowed: "]),
        ("seeds", ["s99"], ["unknown seed 's99'", "Allowed: s0, s1"]),
        ("seeds", [0], ["seeds.0: Input should be a valid string, got 0"]),
        ("seeds", ["s0", "s1", "s0"], ["seeds must name each row once, got 's0' twice"]),
        ("methods", ["lora", "lora"], ["methods must name each row once, got 'lora' twice"]),
        ("tasks", ["../mood"], ["tasks.0: String should match pattern", "'../mood'"]),
        ("tasks", ["mo.od"], ["tasks.0: String should match pattern", "'mo.od'"]),
        ("tasks", ["x" * 300], ["tasks.0: String should have at most 64 characters"]),
        ("lr_search", {"factors": [0]}, ["lr_search.factors.0: Input should be greater than 0, got 0"]),
        ("lr_search", {"factors": [1.0, 1.0]}, ["factors must be distinct, got 1 twice"]),
        ("lr_search", {"factors": []}, ["lr_search.factors"]),
        ("lr_search", {"factors": [INF]}, ["lr_search.factors.0: Input should be a finite number, got inf"]),
        ("lr_search", {"factor": [1.0]}, ["lr_search.factors: Field required"]),
        ("lr_search", {"factors": [float(n + 1) for n in range(30)]}, ["lr_search.factors", "at most 20 items"]),
        ("lr_search", [1.0], ["lr_search: must be a row of fields, got [1.0]"]),
        ("published", "peft_factry", ["unknown published 'peft_factry', did you mean 'peft_factory'?"]),
        ("published", 5, ["published: Input should be a valid string, got 5"]),
        ("metric", "acuracy", ["unknown metric 'acuracy', did you mean 'accuracy'? Allowed: accuracy"]),
        ("metric", "bleu", ["metric 'bleu' stands in no task's row. Allowed: accuracy"]),
        ("metric", "invalid_rate", ["metric 'invalid_rate' is a diagnostic, not a score. Allowed: accuracy"]),
        ("metric", ["macro_f1"], ["metric: Input should be a valid string, got ['macro_f1']"]),
        ("method", ["lora"], ["unknown field 'method', did you mean 'methods'?"]),
    )
]
RULES = [*FIELDS, *TASK, *CONTINUED, *ANSWERS, *MODEL, *METHOD, *GRID]
