"""Raw row → input and references → prompt, literally; which rows take part; what is refused, and in which words."""

from collections import Counter
from typing import Any

import base_rows
import numpy as np
import pyarrow as pa
import pytest

from peft_pipelines.config import SamplingSpec, TaskSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, instruct, sample
from peft_pipelines.data.example import GOLD_COLUMN, GROUP_COLUMNS, adapt_row
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.storage.splits import RowsFolder

SAMPLES = base_rows.PROJECT / "data" / "01_raw" / "samples"
REAL = base_rows.PROJECT.parent / "shared" / "data"
TASKS = {
    name: parse(TaskSpec, f"task '{name}'", {**row, "name": name}) for name, row in base_rows.rows_of("tasks").items()
}
PROBLEM = (
    "Dan had $ 3 left with him after he bought a candy bar. If he had $ 4 at the start How much did the candy bar cost?"
)

LITERAL: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "sst2": (
        {"sentence": "it 's a charming and often affecting journey . ", "label": 1, "idx": 0},
        "Sentence: it 's a charming and often affecting journey .",
        ["positive"],
    ),
    "cola": (
        {"sentence": "Bill whistled past the house.", "label": 0, "idx": 0},
        "Sentence: Bill whistled past the house.",
        ["unacceptable"],
    ),
    "wsc": (
        {
            "text": "Mark told Pete many lies about himself, which Pete put in his book. He should have been wary.",
            "span1_index": 0,
            "span2_index": 13,
            "span1_text": "Mark",
            "span2_text": "He",
            "idx": 0,
            "label": 0,
        },
        "Text: *Mark* told Pete many lies about himself, which Pete put in his book. #He# should have been wary.",
        ["false"],
    ),
    "svamp": (
        {
            "Body": PROBLEM,
            "Question": "",
            "Equation": "( 4.0 - 3.0 )",
            "Answer": "1",
            "question_concat": PROBLEM,
        },
        f"Problem: {PROBLEM}",
        ["(4 - 3) = 1"],
    ),
}


def sampling(**values: Any) -> SamplingSpec:
    return SamplingSpec(**{**base_rows.ALL_ROWS.model_dump(), **values})


def table(count: int, labels: tuple[int, ...] = (0, 1, 1)) -> pa.Table:
    return pa.table(
        {
            "sentence": [f"text {number}" for number in range(count)],
            "label": [labels[n % len(labels)] for n in range(count)],
        }
    )


def raw(train: int = 90, test: int = 30) -> dict[str, pa.Table]:
    return {"train": table(train), "validation": table(test)}


@pytest.mark.parametrize("name", sorted(LITERAL))
def test_a_raw_row_as_input_references_and_prompt(name):
    row, text, references = LITERAL[name]
    found = adapt_row(row, TASKS[name], "row 0")
    more = {each: found.pop(each) for each in (*GROUP_COLUMNS, GOLD_COLUMN) if getattr(TASKS[name], each)}
    assert found == {"input": text, "references": references}
    split = pa.Table.from_pylist([{**row, "idx": place, "Body": f"{'So ' * place}{PROBLEM}"} for place in range(10)])
    adapted = adapt(dict.fromkeys(("train", "validation", "test"), split), TASKS[name], sampling())
    prompts = instruct(adapted, TASKS[name])["test"].to_pylist()
    assert prompts[0] == {"prompt": f"{TASKS[name].instruction}\n\n{text}", "references": references, **more}


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        (("the cat , it slept", 0, "the cat", 3, "it"), "*the cat* , #it# slept"),
        (("Ann saw Bo. She waved to him.", 2, "Bo", 6, "him"), "Ann saw *Bo*. She waved to #him#."),
        (
            ("Jo's dog, a poodle, likes Jo's ball; it barks", 0, "Jo's dog", 7, "it"),
            "*Jo's dog*, a poodle, likes Jo's ball; #it# barks",
        ),
    ],
)
def test_marks_stand_at_words_and_before_punctuation(row, marked):
    names = ("text", "span1_index", "span1_text", "span2_index", "span2_text")
    given = {**dict(zip(names, row, strict=True)), "label": 0}
    assert adapt_row(given, TASKS["wsc"], "row 0")["input"] == f"Text: {marked}"


@pytest.mark.parametrize(
    ("equation", "tidy"),
    [("( 7.0 - 2.0 )", "(7 - 2)"), ("( ( 7.5 + 10.05 ) * 100.0 )", "((7.5 + 10.05) * 100)"), ("8.0", "8")],
)
def test_equations_are_tidied(equation, tidy):
    row = {"Equation": equation, "Answer": "5", "question_concat": "Q", "Body": "B"}
    assert adapt_row(row, TASKS["svamp"], "row 0")["references"] == [f"{tidy} = 5"]


@pytest.mark.parametrize(
    ("name", "split", "rows", "groups"),
    [("svamp", "test", 300, 186), ("svamp", "train", 400, 224), ("conala", "test", 500, 364)],
)
def test_rows_that_tell_one_story_or_answer_one_question_are_a_group(name, split, rows, groups):
    if not (REAL / name).is_dir():
        pytest.skip("the real rows are not here")
    raw = RowsFolder(filepath=str(REAL / name)).load()[split].to_pylist()
    found = [adapt_row(row, TASKS[name], f"row {place}")["group"] for place, row in enumerate(raw)]
    assert (len(found), len(set(found))) == (rows, groups)


@pytest.mark.parametrize("name", sorted(LITERAL))
@pytest.mark.parametrize("source", [SAMPLES, REAL], ids=["samples", "real"])
def test_each_row_of_the_files_can_be_asked_and_judged(source, name):
    folder, task = source / name, TASKS[name]
    if not folder.is_dir():
        pytest.skip(f"no rows at {folder}")
    prompts = instruct(adapt(RowsFolder(filepath=str(folder)).load(), task, sampling()), task)
    assert set(prompts) == {"train", "validation", "test"}
    for rows in prompts.values():
        assert rows.num_rows >= 16
        for row in rows.to_pylist():
            assert row["prompt"].startswith(f"{task.instruction}\n\n")
            assert not set("{}") & set(row["prompt"].removeprefix(task.instruction))
            assert row["prompt"] == row["prompt"].strip()
            if task.label_words:
                assert row["references"][0] in task.label_words
    if task.label_words:
        for part in prompts.values():
            assert {row["references"][0] for row in part.to_pylist()} == set(task.label_words)


@pytest.mark.parametrize(
    ("source", "not_one_span"),
    [(SAMPLES, set()), (REAL, {"Kamenev and Zinoviev", "Stalin and Kamenev", "Kamenev, Zinoviev, and Stalin"})],
    ids=["samples", "real"],
)
def test_what_is_marked_is_the_rows_noun_phrase(source, not_one_span):
    """Three real rows name people who stand apart in the text: no span can hold them."""
    folder = source / "wsc"
    if not folder.is_dir():
        pytest.skip(f"no rows at {folder}")
    unlike = set()
    for row in (row for split in RowsFolder(filepath=str(folder)).load().values() for row in split.to_pylist()):
        text = adapt_row({**row, "label": 0}, TASKS["wsc"], "row")["input"]
        assert text.count("*") == text.count("#") == 2, text
        if not text.replace("#", "").split("*")[1].startswith(row["span1_text"].rstrip(".,;:!?")):
            unlike.add(row["span1_text"])
    assert unlike == not_one_span


def refused(words: str, given: dict[str, pa.Table], name: str = "sst2", **values: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        adapt(given, TASKS[name], sampling(**values))
    assert str(caught.value) == words


def test_a_hidden_label_is_refused():
    refused(
        "task 'sst2', split 'validation': label '-1' is a hidden test label, score another split. Allowed: 0, 1",
        {"train": table(9), "validation": table(9, (0, 1, -1))},
    )


def test_an_unknown_label_is_refused_also_far_down():
    refused(
        "task 'sst2', split 'train': unknown label '7'. Allowed: 0, 1",
        {"train": pa.concat_tables([table(500), table(1, (7,))]), "validation": table(9)},
    )


def test_a_missing_column_is_refused():
    refused(
        "task 'sst2', split 'train': unknown column 'sentence', did you mean 'sentences'? Allowed: sentences, label",
        {"train": table(9).rename_columns(["sentences", "label"]), "validation": table(9)},
    )


def test_a_column_that_preprocessing_misses_is_refused():
    given = dict.fromkeys(("train", "test"), pa.table({"question_concat": ["Q"], "Answer": ["1"]}))
    refused(
        "task 'svamp', split 'train', preprocess story_problem: unknown column 'Equation'. "
        "Allowed: question_concat, Answer",
        given,
        "svamp",
    )


def test_a_missing_split_is_refused():
    refused("task 'sst2': unknown split 'validation'. Allowed: train, test", {"train": table(9), "test": table(9)})


def test_an_empty_split_is_refused():
    refused(
        "task 'sst2': split 'validation' is empty, it needs at least 1 row", {"train": table(9), "validation": table(0)}
    )


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused_though_the_template_has_words(text):
    empty = pa.table({"sentence": [text], "label": [1]})
    refused("task 'sst2', test row 0: empty input", {"train": table(9), "validation": empty})


def test_a_null_is_not_written_as_none():
    null = pa.table({"sentence": ["fine", None], "label": [1, 0]})
    refused(
        "task 'sst2', test row 1: column 'sentence' is null, it must hold a value",
        {"train": table(9), "validation": null},
    )


def test_an_empty_answer_is_refused():
    row = {"Equation": "", "Answer": " ", "question_concat": "Q", "Body": "B"}
    with pytest.raises(ConfigError, match="task 'svamp', row 3: empty answer"):
        adapt_row(row, TASKS["svamp"], "row 3")


def test_braces_in_data_are_text():
    row = {"sentence": "a {brace} and {0}", "label": 1}
    assert adapt_row(row, TASKS["sst2"], "row 0")["input"] == "Sentence: a {brace} and {0}"


def texts(parts: dict[str, list[dict[str, Any]]], name: str) -> list[str]:
    return [row["sentence"] for row in parts[name]]


def test_validation_is_cut_off_the_training_rows_and_all_rows_take_part():
    parts = sample(raw(), TASKS["sst2"], sampling())
    assert (len(parts["train"]), len(parts["validation"]), len(parts["test"])) == (81, 9, 30)
    assert not set(texts(parts, "train")) & set(texts(parts, "validation"))
    assert sorted(texts(parts, "train") + texts(parts, "validation")) == sorted(raw()["train"]["sentence"].to_pylist())


def test_the_split_seed_alone_decides_the_validation_rows():
    usual = texts(sample(raw(), TASKS["sst2"], sampling()), "validation")
    assert texts(sample(raw(), TASKS["sst2"], sampling(train_rows=20, test_rows=5)), "validation") == usual
    assert texts(sample(raw(), TASKS["sst2"], sampling(split_seed=1)), "validation") != usual


def test_drawn_rows_keep_the_shares_of_the_labels_and_their_order():
    parts = sample(raw(), TASKS["sst2"], sampling(train_rows=30, validation_rows=6, test_rows=12))
    for name, shares in {"train": {0: 10, 1: 20}, "validation": {0: 2, 1: 4}, "test": {0: 4, 1: 8}}.items():
        assert Counter(row["label"] for row in parts[name]) == shares
        numbers = [int(text.removeprefix("text ")) for text in texts(parts, name)]
        assert numbers == sorted(numbers)
    assert not set(texts(parts, "train")) & set(texts(parts, "validation"))


def test_a_split_of_its_own_is_taken_whole_or_drawn():
    task = TASKS["sst2"].model_copy(update={"splits": TASKS["sst2"].splits.model_copy(update={"validation": "dev"})})
    given = {**raw(), "dev": table(12)}
    assert [len(part) for part in sample(given, task, sampling()).values()] == [90, 12, 30]
    assert [len(part) for part in sample(given, task, sampling(validation_rows=6)).values()] == [90, 6, 30]


def test_fewer_rows_than_asked_for_are_all_taken():
    assert len(sample(raw(train=20), TASKS["sst2"], sampling(train_rows=1000))["train"]) == 18


def test_a_label_with_one_row_does_not_stop_the_split():
    rare = pa.concat_tables([table(20, (0,)), table(1, (1,))])
    parts = sample({"train": rare, "validation": rare}, TASKS["sst2"], sampling())
    assert len(parts["train"]) + len(parts["validation"]) == 21


# --- rows that belong together ---

PASSAGES = parse(
    TaskSpec,
    "task 'passages'",
    {
        **{key: value for key, value in base_rows.rows_of("tasks")["multirc"].items() if key != "preprocess"},
        "name": "passages",
        "splits": {"train": "train", "test": "test"},
    },
)


def passages(count: int, questions: int = 2, answers: int = 3) -> pa.Table:
    """Rows of passages, shuffled: each with its questions, each of those with its candidate answers."""
    rows = [
        {"paragraph": f"passage {p}", "question": f"question {q}?", "answer": f"answer {a}", "label": (p + q + a) % 2}
        for p in range(count)
        for q in range(questions)
        for a in range(answers)
    ]
    np.random.default_rng(0).shuffle(rows)
    return pa.Table.from_pylist(rows)


def shared(count: int = 20, test: int = 5) -> dict[str, pa.Table]:
    return {"train": passages(count), "test": passages(test)}


def named(rows: list[dict[str, Any]], *columns: str) -> set[tuple[str, ...]]:
    return {tuple(row[column] for column in columns) for row in rows}


def test_a_passage_never_stands_in_train_and_in_validation():
    for seed in range(10):
        parts = sample(shared(), PASSAGES, sampling(split_seed=seed))
        held, kept = (named(parts[name], "paragraph") for name in ("validation", "train"))
        assert held and kept and not held & kept
        assert len(parts["validation"]) + len(parts["train"]) == 120


def test_whole_passages_are_set_aside_until_they_hold_the_share():
    parts = sample(shared(), PASSAGES, sampling(validation_share=0.2))
    assert [len(part) for part in parts.values()] == [96, 24, 30]


def test_few_validation_rows_come_of_at_most_as_many_passages():
    parts = sample(shared(), PASSAGES, sampling(validation_share=0.5, validation_rows=3))
    assert len(parts["validation"]) == 3
    assert len(named(parts["train"], "paragraph")) == 17
    assert not named(parts["validation"], "paragraph") & named(parts["train"], "paragraph")


def test_the_split_seed_alone_decides_which_passages_are_set_aside():
    usual = sample(shared(), PASSAGES, sampling())["validation"]
    assert sample(shared(), PASSAGES, sampling(train_rows=20, test_rows=6))["validation"] == usual
    assert sample(shared(), PASSAGES, sampling(split_seed=1))["validation"] != usual


@pytest.mark.parametrize(("rows", "expected"), [(1, 3), (3, 3), (8, 6), (29, 27), (30, 30), (None, 30)])
def test_rows_to_judge_are_whole_questions(rows: int | None, expected: int):
    drawn = sample(shared(), PASSAGES, sampling(test_rows=rows))["test"]
    assert len(drawn) == expected == 3 * len(named(drawn, "paragraph", "question"))


@pytest.mark.parametrize(("unit", "whole"), [("group", ("paragraph",)), ("question", ("paragraph", "question"))])
def test_examples_to_train_on_are_drawn_as_whole_units(unit: str, whole: tuple[str, ...]):
    drawn = sample(shared(), PASSAGES, sampling(train_rows=20, train_unit=unit))["train"]
    assert len(drawn) == 18
    assert len(drawn) == sum(named([row], *whole) <= named(drawn, *whole) for row in passages(20).to_pylist())


def test_examples_drawn_singly_come_of_more_passages_and_keep_the_labels():
    drawn = sample(shared(), PASSAGES, sampling(train_rows=20, train_unit="example"))["train"]
    assert len(drawn) == 20 and sum(row["label"] for row in drawn) == 10
    assert len(named(drawn, "paragraph")) > 8


@pytest.mark.parametrize("unit", ["question", "group"])
def test_a_unit_that_a_task_lacks_draws_single_examples(unit: str):
    usual = sample(raw(), TASKS["sst2"], sampling(train_rows=30, train_unit="example"))
    assert sample(raw(), TASKS["sst2"], sampling(train_rows=30, train_unit=unit)) == usual


def test_passages_and_questions_keep_one_name_through_to_the_prompt():
    prompts = instruct(adapt(shared(), PASSAGES, sampling()), PASSAGES)
    assert {table.column_names[-2:] == ["group", "question"] for table in prompts.values()} == {True}
    rows = prompts["test"].to_pylist()
    assert len(named(rows, "group")) == 5
    assert len(named(rows, "question")) == len(named(rows, "group", "question")) == 10
    raw_rows = sample(shared(), PASSAGES, sampling())["test"]
    names = {(row["group"], raw_row["paragraph"]) for row, raw_row in zip(rows, raw_rows, strict=True)}
    assert len(names) == 5


def test_the_same_passage_has_the_same_name_in_every_split():
    prompts = instruct(adapt(shared(), PASSAGES, sampling()), PASSAGES)
    train, held, test = (named(table.to_pylist(), "group") for table in prompts.values())
    assert test < train | held
    assert not train & held


def test_tasks_without_groups_have_two_columns():
    prompts = instruct(adapt(raw(), TASKS["sst2"], sampling()), TASKS["sst2"])
    assert {tuple(table.column_names) for table in prompts.values()} == {("prompt", "references")}


def test_a_single_passage_cannot_be_cut():
    with pytest.raises(ConfigError) as caught:
        adapt(shared(count=1), PASSAGES, sampling())
    assert str(caught.value) == (
        "task 'passages', split 'train', group '{paragraph}': "
        "all examples share one group, no validation examples can be cut off"
    )


def test_a_column_that_groups_need_is_missing():
    given = {name: table.drop_columns(["paragraph"]) for name, table in shared().items()}
    task = PASSAGES.model_copy(update={"input": "{question} {answer}", "question": None})
    with pytest.raises(ConfigError, match=r"^task 'passages', split 'train': unknown column 'paragraph'\. Allowed: "):
        adapt(given, task, sampling())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": None}, "task 'passages': question needs group: rows of a question must not stand on both sides"),
        (
            {"question": None, "metrics": ["accuracy", "exact_question"]},
            "task 'passages', metrics: 'exact_question' needs the field question, a template such as '{question}'",
        ),
    ],
)
def test_a_row_that_cannot_be_grouped_is_refused(changes: dict[str, Any], message: str):
    row = {**PASSAGES.model_dump(), "splits": {"train": "train", "test": "test"}, "source": None, **changes}
    with pytest.raises(ConfigError) as caught:
        parse(TaskSpec, "task 'passages'", {**row, "name": "passages"}).check({}, registry.METRICS)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.group])
@pytest.mark.parametrize("source", [SAMPLES, REAL], ids=["samples", "real"])
def test_the_passages_of_the_files_stay_whole(source, name):
    folder, task = source / name, TASKS[name]
    if not folder.is_dir():
        pytest.skip(f"no rows at {folder}")
    rows = RowsFolder(filepath=str(folder)).load()
    prompts = adapt(rows, task, sampling(validation_rows=64))
    train, held = (named(prompts[part].to_pylist(), "group") for part in ("train", "validation"))
    assert held and not train & held
    assert prompts["train"].num_rows >= 0.6 * rows["train"].num_rows
    if task.question:
        ids = {tuple(row["idx"].values())[:2] for row in rows[task.splits.test].to_pylist()}
        assert len(named(prompts["test"].to_pylist(), "question")) == len(ids)
