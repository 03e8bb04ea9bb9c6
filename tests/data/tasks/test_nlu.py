"""Tasks of language understanding: what a model sees of a raw row, and which rows are refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from base_rows import ALL_ROWS, task_of

from peft_pipelines.config import template_fields
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.storage.splits import RowsFolder

PROJECT = Path(__file__).parents[3]
REAL = PROJECT.parent / "shared/data"
ROWS: dict[str, Any] = {
    name: row
    for file in ("glue", "super_glue")
    for name, row in yaml.safe_load((PROJECT / f"conf/base/parameters/tasks/{file}.yml").read_text())["tasks"].items()
}
SPLITS = ("train", "validation", "test")

# task: one raw row, the prompt, the right answers
CASES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "mnli": (
        {"premise": "um-hum  we left at noon", "hypothesis": "We left in the morning. ", "label": 2, "idx": 0},
        """\
Decide how the hypothesis relates to the premise: it follows from it, it contradicts it, or neither. \
Answer with one word: entailment, contradiction or neutral.

Premise: um-hum we left at noon
Hypothesis: We left in the morning.""",
        ["contradiction"],
    ),
    "qnli": (
        {"question": "Who built the mill?", "sentence": "The mill was built by Ann Roe.", "label": 0, "idx": 0},
        """\
Decide whether the following sentence contains the answer to the question. Answer with one word: yes or no.

Question: Who built the mill?
Sentence: The mill was built by Ann Roe.""",
        ["yes"],
    ),
    "rte": (
        {"sentence1": "The mill may burn.", "sentence2": "The mill has burnt.", "label": 1, "idx": 0},
        """\
Decide whether the hypothesis follows from the premise. Answer with: entailment or not entailment.

Premise: The mill may burn.
Hypothesis: The mill has burnt.""",
        ["not entailment"],
    ),
    "qqp": (
        {"question1": "How do I boil rice?", "question2": "What is a way to boil rice?", "label": 1, "idx": 0},
        """\
Decide whether the following two questions ask the same thing. Answer with one word: different or duplicate.

Question 1: How do I boil rice?
Question 2: What is a way to boil rice?""",
        ["duplicate"],
    ),
    "mrpc": (
        {"sentence1": "Sales rose 3 % .", "sentence2": "Sales fell 3 % .", "label": 0, "idx": 7},
        """\
Decide whether the following two sentences say the same thing. Answer with one word: different or equivalent.

Sentence 1: Sales rose 3 % .
Sentence 2: Sales fell 3 % .""",
        ["different"],
    ),
    "stsb": (
        {"sentence1": "A dog runs.", "sentence2": "A dog is running fast.", "label": 3.799999952316284, "idx": 0},
        """\
Rate how similar in meaning the following two sentences are, from 0.0 (unrelated) to 5.0 (the same). \
Answer with one number with one decimal, such as 3.8.

Sentence 1: A dog runs.
Sentence 2: A dog is running fast.""",
        ["3.8"],
    ),
    "cb": (
        {"premise": "A: Is it on? B: I don't think it is.", "hypothesis": "it is on", "idx": 0, "label": 1},
        """\
Decide how the hypothesis relates to the premise: it follows from it, it contradicts it, or neither. \
Answer with one word: entailment, contradiction or neutral.

Premise: A: Is it on? B: I don't think it is.
Hypothesis: it is on""",
        ["contradiction"],
    ),
    "multirc": (
        {
            "paragraph": " Ann sold jam.  Bob sold bread. ",
            "question": "Who sold food?",
            "answer": "Bob",
            "idx": {"paragraph": 0, "question": 0, "answer": 0},
            "label": 1,
        },
        """\
Read the paragraph and the question about it. Decide whether the candidate answer is right; a question can have \
several right answers. Answer with one word: true or false.

Paragraph: Ann sold jam. Bob sold bread.
Question: Who sold food?
Candidate answer: Bob""",
        ["true"],
    ),
    "record": (
        {
            "passage": "Ann Roe won in Rome.\n@highlight\nRoe beat Bob\n@highlight\nBob came second",
            "query": "It was the first win for @placeholder.",
            "entities": ["Ann Roe", "Rome", "Roe", "Bob"],
            "entity_spans": {"text": ["Ann Roe"], "start": [0], "end": [7]},
            "answers": ["Roe", "Ann Roe", "Roe"],
            "idx": {"passage": 0, "query": 0},
        },
        """\
Read the passage. In the query a name is missing, shown as ____. Answer with the missing name only, \
as the passage writes it.

Passage: Ann Roe won in Rome.
- Roe beat Bob
- Bob came second
Query: It was the first win for ____.""",
        ["Roe", "Ann Roe"],
    ),
    "boolq": (
        {"question": "is tin a metal", "passage": "Tin -- Tin is a soft metal.", "idx": 0, "label": 1},
        """\
Read the passage and answer the question about it. Answer with one word: yes or no.

Passage: Tin -- Tin is a soft metal.
Question: is tin a metal?""",
        ["yes"],
    ),
    "copa": (
        {
            "premise": "The cup broke.",
            "choice1": "It was blue.",
            "choice2": "It fell.",
            "question": "cause",
            "idx": 0,
            "label": 1,
        },
        """\
Choose the more plausible cause or effect of the premise, whichever is asked for. Answer with one letter: A or B.

Premise: The cup broke.
Which is the more plausible cause?
A: It was blue.
B: It fell.""",
        ["B"],
    ),
    "wic": (
        {
            "word": "bank",
            "sentence1": "The bank is shut.",
            "sentence2": "She sat on the bank of the river.",
            "start1": 4,
            "start2": 15,
            "end1": 8,
            "end2": 19,
            "idx": 0,
            "label": 0,
        },
        """\
Decide whether the word has the same meaning in both sentences. Answer with one word: true or false.

Word: bank
Sentence 1: The bank is shut.
Sentence 2: She sat on the bank of the river.""",
        ["false"],
    ),
}
# task: what its real rows of the scored split answer, how often; for free answers the number of rows
COUNTS: dict[str, dict[str, int] | int] = {
    "mnli": {"entailment": 518, "neutral": 462, "contradiction": 520},
    "qnli": {"yes": 724, "no": 776},
    "rte": {"entailment": 146, "not entailment": 131},
    "qqp": {"different": 623, "duplicate": 377},
    "mrpc": {"different": 495, "equivalent": 1005},
    "stsb": 1500,
    "cb": {"entailment": 23, "contradiction": 28, "neutral": 5},
    "multirc": {"false": 842, "true": 658},
    "record": 11,
    "boolq": {"no": 554, "yes": 946},
    "copa": {"A": 55, "B": 45},
    "wic": {"false": 319, "true": 319},
}


def adapted(task: str, row: dict[str, Any]) -> dict[str, pa.Table]:
    """The row's prompts, with the row as every split; a second training row, so that one is left for validation.

    Where rows share a passage the second has another, and stands only in training: a passage is never cut in two.
    """
    shared = template_fields(task_of(task).group or "")
    second = {column: f"{value} More." if column in shared else value for column, value in row.items()}
    raw = {name: pa.Table.from_pylist([row, second][: 2 if name == "train" else 1]) for name in SPLITS}
    return instruct(adapt(raw, task_of(task), ALL_ROWS), task_of(task))


@pytest.mark.parametrize("task", CASES)
def test_a_row_becomes_exactly_this_prompt_and_these_answers(task: str) -> None:
    row, prompt, references = CASES[task]
    (found,) = adapted(task, row)["test"].to_pylist()
    together = {name: found.pop(name) for name in ("group", "question") if getattr(task_of(task), name)}
    if task_of(task).gold:
        found.pop("gold")
    assert found == {"prompt": prompt, "references": references}
    assert all(len(name) == 16 for name in together.values())


def test_a_similarity_is_learnt_rounded_and_scored_as_it_is() -> None:
    (found,) = adapted("stsb", CASES["stsb"][0])["test"].to_pylist()
    assert (found["references"], found["gold"]) == (["3.8"], "3.799999952316284")
    assert [name for name in CASES if task_of(name).gold] == ["stsb"]


@pytest.mark.parametrize("task", [task for task in CASES if task_of(task).label])
def test_each_answer_word_stands_in_the_instruction(task: str) -> None:
    words = task_of(task).label_words
    answers = task_of(task).instruction.split("Answer with", 1)[1]
    assert all(word in answers for word in words)


@pytest.mark.parametrize("task", [task for task in CASES if task != "record"])
def test_a_hidden_label_is_refused(task: str) -> None:
    row = CASES[task][0]
    with pytest.raises(ConfigError, match=f"^task '{task}', .*label '-1(.0)?' is a hidden test label, score another"):
        adapted(task, {**row, "label": type(row["label"])(-1)})


def test_a_hidden_list_of_answers_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^task 'record', .*'answers'.*score another split"):
        adapted("record", {**CASES["record"][0], "answers": []})


@pytest.mark.parametrize(
    ("task", "column"),
    [
        ("mnli", "hypothesis"),
        ("qnli", "question"),
        ("rte", "sentence2"),
        ("qqp", "question1"),
        ("mrpc", "label"),
        ("stsb", "label"),
        ("stsb", "sentence1"),
        ("cb", "premise"),
        ("multirc", "answer"),
        ("record", "query"),
        ("record", "answers"),
        ("boolq", "passage"),
        ("copa", "question"),
        ("wic", "word"),
    ],
)
def test_a_missing_column_is_named(task: str, column: str) -> None:
    row = {name: value for name, value in CASES[task][0].items() if name != column}
    with pytest.raises(ConfigError, match=f"^task '{task}', .*unknown column '{column}'"):
        adapted(task, row)


@pytest.mark.parametrize("task", CASES)
def test_real_rows_adapt_with_the_counted_answers(task: str) -> None:
    if not (REAL / task).is_dir():
        pytest.skip("the real rows are not on this machine")
    raw = RowsFolder(filepath=str(REAL / task)).load()
    prompts = instruct(adapt(raw, task_of(task), ALL_ROWS), task_of(task))
    bare = len(task_of(task).instruction) + 2
    assert all(len(prompt) > bare for table in prompts.values() for prompt in table["prompt"].to_pylist())
    answers = prompts["test"]["references"].to_pylist()
    found = Counter(words[0] for words in answers) if task_of(task).label else len(answers)
    assert found == COUNTS[task]
