"""The sample rows that come with the project: enough of them, balanced, none twice, and in the hub's schema."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, product
from statistics import fmean, quantiles
from typing import Any

import pyarrow as pa
import pytest
import yaml
from base_rows import ALL_ROWS, PROJECT, task_of
from base_rows import TASKS as ROWS
from pyarrow import parquet
from scipy import stats

from peft_pipelines.config import TaskSpec, template_fields
from peft_pipelines.data.adapt import adapt
from peft_pipelines.data.example import adapt_row
from peft_pipelines.evaluation.metrics.registry import score
from peft_pipelines.storage.splits import RowsFolder, Splits

SAMPLES = PROJECT / "data/01_raw/samples"
REAL = PROJECT.parent / "shared/data"
TASKS = sorted(ROWS)
GRID = yaml.safe_load((PROJECT / "conf/base/grid.yml").read_text(encoding="utf-8"))["tasks"]
LEAST = {"train": 160, "validation": 40, "test": 80}
A_QUARTER = ALL_ROWS.model_copy(update={"validation_share": 0.25, "validation_rows": 8})


def samples(task: str) -> Splits:
    """The sample rows of a task, which a new row need not bring."""
    if not (SAMPLES / task).is_dir():
        pytest.skip(f"no sample rows at {SAMPLES / task}")
    return RowsFolder(filepath=str(SAMPLES / task)).load()


def plain(text: str) -> str:
    """A text without case, punctuation and the spacing around it."""
    return re.sub(r"\W+", " ", text.lower()).strip()


def essence(row: dict[str, Any], task: TaskSpec) -> str:
    """What makes a row this row: all its text but its own number and its label."""
    return plain(" ".join(str(value) for name, value in row.items() if name not in ("idx", "ID", task.label)))


def shown(row: dict[str, Any], task: TaskSpec) -> str:
    """The part of a row that a model sees: the input's columns; the whole row where ``preprocess`` makes them."""
    names = template_fields(task.input)
    return plain(" ".join(str(row[name]) for name in names)) if set(names) <= set(row) else essence(row, task)


def real_splits(task: str) -> dict[str, pa.Table]:
    folder = REAL / task
    if not folder.is_dir():
        pytest.skip("the real rows are not on this machine")
    return {path.stem: parquet.read_table(path) for path in folder.glob("*.parquet")}


@pytest.mark.parametrize("task", GRID)
def test_a_task_of_the_default_grid_has_enough_rows(task: str) -> None:
    rows = {name: table.num_rows for name, table in samples(task).items()}
    assert rows.keys() == LEAST.keys()
    assert all(rows[name] >= least for name, least in LEAST.items()), rows


def test_sentiments_are_as_many_as_the_page_of_data_sets_says() -> None:
    rows = {name: table.num_rows for name, table in samples("sst2").items()}
    assert rows == {"train": 320, "validation": 200, "test": 80}
    assert f"{rows['train']} training examples for SST-2" in (PROJECT / "docs/datasets.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "public"), [("train", "train"), ("validation", "validation"), ("test", "validation")])
def test_sentiments_are_as_long_as_the_public_ones(name: str, public: str) -> None:
    tables = (samples("sst2")[name], real_splits("sst2")[public])
    ours, theirs = ([len(text.split()) for text in table["sentence"].to_pylist()] for table in tables)
    off = [abs(a - b) for a, b in zip(quantiles(ours), quantiles(theirs), strict=True)]
    assert max(off) <= 4, (quantiles(ours), quantiles(theirs))


def test_sentiments_share_no_five_words_with_public_ones() -> None:
    taken = {
        part for table in real_splits("sst2").values() for text in table["sentence"].to_pylist() for part in fives(text)
    }
    for table in samples("sst2").values():
        assert [text for text in table["sentence"].to_pylist() if fives(text) & taken] == []


def fives(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


def test_similarities_are_as_many_as_the_page_of_data_sets_says() -> None:
    rows = {name: table.num_rows for name, table in samples("stsb").items()}
    assert rows == {"train": 160, "validation": 80, "test": 80}
    assert f"{rows['train']} for CoLA, STS-B," in (PROJECT / "docs/datasets.md").read_text(encoding="utf-8")


def test_similarities_are_spread_evenly_over_the_scale() -> None:
    for name, table in samples("stsb").items():
        counts = Counter(table["label"].to_pylist())
        assert sorted(counts) == [fifths / 5 for fifths in range(26)], name
        assert max(counts.values()) - min(counts.values()) <= 1, (name, counts)


def test_the_words_that_sentences_share_do_not_give_their_similarity_away() -> None:
    for name, table in samples("stsb").items():
        pairs = [[set(plain(row[f"sentence{number}"]).split()) for number in (1, 2)] for row in table.to_pylist()]
        shared = [len(one & other) / len(one | other) for one, other in pairs]
        assert stats.spearmanr(shared, table["label"].to_pylist()).statistic < 0.6, name


def test_no_sentence_is_of_two_similarities_or_of_the_public_set() -> None:
    assert_unique_and_not_public("stsb", ("sentence1", "sentence2"))


def test_premises_are_as_many_as_the_page_of_data_sets_says() -> None:
    rows = {name: table.num_rows for name, table in samples("copa").items()}
    assert rows == {"train": 160, "validation": 80, "test": 80}
    assert f"{rows['train']} for CoLA, STS-B, COPA," in (PROJECT / "docs/datasets.md").read_text(encoding="utf-8")


def test_each_answer_is_right_for_half_of_the_causes_and_effects() -> None:
    for name, table in samples("copa").items():
        counts = Counter((row["question"], row["label"]) for row in table.to_pylist())
        quarter = table.num_rows // 4
        assert counts == dict.fromkeys(product(("cause", "effect"), (0, 1)), quarter), name


def test_length_and_shared_words_do_not_tell_the_plausible_alternative() -> None:
    def marks(premise: str, choice: str) -> tuple[int, int, float]:
        given, chosen = set(plain(premise).split()), set(plain(choice).split())
        return len(choice), len(choice.split()), len(given & chosen) / len(given | chosen)

    for name, table in samples("copa").items():
        right = [marks(row["premise"], row[f"choice{row['label'] + 1}"]) for row in table.to_pylist()]
        wrong = [marks(row["premise"], row[f"choice{2 - row['label']}"]) for row in table.to_pylist()]
        for ours, theirs in zip(zip(*right, strict=True), zip(*wrong, strict=True), strict=True):
            assert 0.85 * fmean(theirs) <= fmean(ours) <= fmean(theirs), name


def test_no_premise_or_alternative_comes_twice_or_is_of_the_public_set() -> None:
    assert_unique_and_not_public("copa", ("premise",))
    assert_unique_and_not_public("copa", ("choice1", "choice2"))


def assert_unique_and_not_public(task: str, columns: tuple[str, ...]) -> None:
    """Each text of the columns comes once in all sample rows together, and nowhere in the public ones."""

    def texts(tables: Iterable[pa.Table]) -> list[str]:
        return [plain(text) for table in tables for column in columns for text in table[column].to_pylist()]

    ours = texts(samples(task).values())
    assert [text for text, count in Counter(ours).items() if count > 1] == []
    assert set(ours) & set(texts(real_splits(task).values())) == set()


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_enough_examples_with_a_quarter_for_validation(task: str) -> None:
    rows = {name: table.num_rows for name, table in adapt(samples(task), task_of(task), A_QUARTER).items()}
    assert rows["train"] >= 24 and rows["validation"] >= 8 and rows["test"] >= 16, rows


@pytest.mark.parametrize("task", [task for task in TASKS if task_of(task).label])
def test_labels_are_balanced_and_none_is_hidden(task: str) -> None:
    row = task_of(task)
    assert row.labels
    for name, table in samples(task).items():
        counts = Counter(table[row.label].to_pylist())
        assert counts.keys() == row.labels.keys(), name
        assert max(counts.values()) - min(counts.values()) <= 0.1 * table.num_rows, (name, counts)


def test_each_operation_of_the_word_problems_is_common() -> None:
    for name, table in samples("svamp").items():
        counts = Counter(table["Type"].to_pylist())
        assert counts.keys() == {"Addition", "Subtraction", "Multiplication", "Common-Division"}
        assert min(counts.values()) >= 0.15 * table.num_rows, (name, counts)


def test_the_answer_of_a_word_problem_is_what_its_equation_gives() -> None:
    task = task_of("svamp")
    for name, table in samples("svamp").items():
        for row in table.to_pylist():
            answers = adapt_row(row, task, name)["references"]
            assert score(["equation_consistency"], answers, [answers], ())["equation_consistency"] == 1, row["ID"]
            assert row["question_concat"] == f"{row['Body']} {row['Question']}", row["ID"]


@pytest.mark.parametrize("task", TASKS)
def test_no_row_comes_twice_in_a_split_or_in_two(task: str) -> None:
    row = task_of(task)
    texts = {name: [essence(line, row) for line in table.to_pylist()] for name, table in samples(task).items()}
    for name, lines in texts.items():
        assert [text for text, count in Counter(lines).items() if count > 1] == [], name
    for one, other in combinations(texts, 2):
        assert set(texts[one]) & set(texts[other]) == set(), (one, other)


@pytest.mark.parametrize("task", TASKS)
def test_no_row_of_a_split_is_nearly_one_of_another(task: str) -> None:
    row = task_of(task)
    words = {
        name: [set(shown(line, row).split()) for line in table.to_pylist()] for name, table in samples(task).items()
    }
    for one, other in combinations(words, 2):
        alike = [(a, b) for a in words[one] for b in words[other] if len(a & b) > 0.8 * len(a | b)]
        assert alike == [], (one, other)


@pytest.mark.parametrize(("task", "text"), [("qnli", "sentence"), ("qqp", "question2"), ("mrpc", "sentence2")])
def test_the_length_of_a_text_does_not_give_the_label_away(task: str, text: str) -> None:
    rows = [row for table in samples(task).values() for row in table.to_pylist()]
    lengths = sorted({len(row[text]) for row in rows})
    hits = [sum((len(row[text]) > limit) == row["label"] for row in rows) for limit in lengths]
    assert min(hits) / len(rows) > 0.25 and max(hits) / len(rows) < 0.75


@pytest.mark.parametrize(
    ("task", "options", "answer"), [("mmlu", "choices", "answer"), ("hellaswag", "endings", "label")]
)
def test_the_length_of_an_option_does_not_give_it_away(task: str, options: str, answer: str) -> None:
    rows = [row for table in samples(task).values() for row in table.to_pylist()]
    right = [(len(row[options][int(row[answer])]), [len(text) for text in row[options]]) for row in rows]
    assert sum(size == max(sizes) for size, sizes in right) < 0.4 * len(rows)
    assert sum(size == min(sizes) for size, sizes in right) < 0.4 * len(rows)


def test_the_right_number_has_no_fixed_place_in_the_order_of_the_options() -> None:
    places: Counter[int] = Counter()
    for table in samples("mathqa").values():
        for row in table.to_pylist():
            texts = re.findall(r"[a-e] \) \$? ?([\d. /]*\d)", row["options"])
            numbers = [Fraction(text.replace(" ", "")) for text in texts]
            assert len(set(numbers)) == 5, row["options"]
            places[sorted(numbers).index(numbers["abcde".index(row["correct"])])] += 1
    assert min(places[place] for place in range(5)) >= 0.1 * places.total(), places


def test_the_names_of_a_passage_are_where_the_row_says_and_hold_the_answer() -> None:
    for table in samples("record").values():
        for row in table.to_pylist():
            places = row["entity_spans"]
            spans = zip(places["start"], places["end"], strict=True)
            assert [row["passage"][start:end] for start, end in spans] == places["text"], row["idx"]
            assert set(row["answers"]) <= set(row["entities"]) == set(places["text"]), row["idx"]
            assert row["query"].count("@placeholder") == 1, row["idx"]


@pytest.mark.parametrize("task", TASKS)
def test_every_row_makes_a_prompt_and_an_answer(task: str) -> None:
    row = task_of(task)
    raw = samples(task)
    adapted = adapt(raw, row, ALL_ROWS)
    for table in adapted.values():
        assert all(line["input"] and line["references"] for line in table.to_pylist())
    assert adapted["test"].num_rows == raw[row.splits.test].num_rows


def test_the_marked_spans_are_where_the_row_says() -> None:
    for name, table in samples("wsc").items():
        for row in table.to_pylist():
            words = row["text"].split(" ")
            for number in (1, 2):
                first, text = row[f"span{number}_index"], row[f"span{number}_text"]
                found = " ".join(words[first : first + len(text.split(" "))])
                assert re.sub(r"\W+$", "", found).lower() == re.sub(r"\W+$", "", text).lower(), (name, row["idx"])


@pytest.mark.parametrize("task", TASKS)
def test_columns_and_types_are_the_hubs(task: str) -> None:
    expected = next(iter(real_splits(task).values())).schema
    for table in samples(task).values():
        assert table.column_names == expected.names
        assert [kind(field.type) for field in table.schema] == [kind(field.type) for field in expected]


def kind(type_: pa.DataType) -> str:
    """A type without the widths of its numbers, which JSON does not have, and the name that a list gives its items."""
    text = re.sub(r"list<\w+: ", "list<", str(type_))
    return re.sub(r"double|float\w*", "float", re.sub(r"u?int\d+", "integer", text))


@pytest.mark.parametrize("task", TASKS)
def test_no_row_is_a_real_one(task: str) -> None:
    row = task_of(task)
    real = {shown(line, row) for table in real_splits(task).values() for line in table.to_pylist()}
    for table in samples(task).values():
        assert [line for line in table.to_pylist() if shown(line, row) in real] == []


def test_each_line_is_one_json_object() -> None:
    for path in SAMPLES.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert isinstance(json.loads(line), dict), path


def test_all_samples_are_of_a_task() -> None:
    assert {path.name for path in SAMPLES.iterdir()} <= set(TASKS)


def test_nothing_else_lies_among_the_samples() -> None:
    assert {path.suffix for path in SAMPLES.rglob("*") if path.is_file()} == {".jsonl"}
