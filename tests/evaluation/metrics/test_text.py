import random
from itertools import zip_longest

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from peft_pipelines.evaluation.metrics.bleu import bleu, bleu_signature
from peft_pipelines.evaluation.metrics.registry import score
from peft_pipelines.evaluation.metrics.text import (
    LONGEST_CODE,
    exact_answer,
    exact_match,
    is_python,
    parses,
    rouge1,
    rouge2,
    rougeL,
    token_f1,
    words,
)

untimed = settings(deadline=None)  # the first row imports the scorers
TEXT_METRICS = ["exact_match", "exact_answer", "token_f1", "rouge1", "rouge2", "rougeL", "bleu", "parses"]
TOKENS = ["x", "=", "The", "cat", "sat", "on", "a", "mat", "for", "in", "range", "(", ")", ":", "3"]


def _random_rows(seed: int, right_answers: int) -> tuple[list[str], list[list[str]]]:
    chance = random.Random(seed)
    text = [" ".join(chance.choices(TOKENS, k=chance.randint(1, 12))) for _ in range(40 * (right_answers + 1))]
    return text[:40], [text[40 + right_answers * i :][:right_answers] for i in range(40)]


# --- literal rows ---


@pytest.mark.parametrize(
    ("prediction", "item", "expected"),
    [
        ("x = 1", ["x = 1"], 1.0),
        ("\nx = 1  \n\n", ["x = 1"], 1.0),
        ("if x:\r\n    y", ["if x:  \n    y"], 1.0),
        ("if x:\n  y", ["if x:\n    y"], 0.0),
        ("x=1", ["x = 1"], 0.0),
        ("X = 1", ["x = 1"], 0.0),
        ("a\n\nb", ["a\nb"], 0.0),
        ("```\nx = 1\n```", ["x = 1"], 0.0),
        ("y", ["x", "y"], 1.0),
        ("", ["x"], 0.0),
    ],
)
def test_exact_match_of_one_row(prediction: str, item: list[str], expected: float) -> None:
    assert exact_match([prediction], [item], []) == {"exact_match": expected}


@pytest.mark.parametrize(
    ("prediction", "item", "match", "f1"),
    [
        ("Denver Broncos", ["Denver Broncos"], 1.0, 1.0),
        ("the Denver broncos!", ["Denver Broncos", "Broncos"], 1.0, 1.0),
        ("Broncos", ["Denver Broncos", "Panthers"], 0.0, 2 / 3),
        ("Denver", ["Panthers"], 0.0, 0.0),
        ("Panther", ["Panthers"], 0.0, 0.0),
        ("Theo", ["o"], 0.0, 0.0),
        ("New York New York", ["New York"], 0.0, 2 / 3),
        ("U.S.", ["US"], 1.0, 1.0),
        ("O'Neil", ["ONeil"], 1.0, 1.0),
        ("", ["Denver"], 0.0, 0.0),
        ("the", ["A"], 1.0, 1.0),
    ],
)
def test_answers_as_squad_compares_them(prediction: str, item: list[str], match: float, f1: float) -> None:
    assert exact_answer([prediction], [item], []) == {"exact_answer": match}
    assert token_f1([prediction], [item], []) == {"token_f1": pytest.approx(f1)}


def test_words_of_a_text() -> None:
    assert words('  A "Man", an\tU.K. the-end; THE ') == ["man", "uk", "theend"]


@pytest.mark.parametrize(
    ("prediction", "reference", "one", "two", "longest"),
    [
        ("police killed the gunman", "police kill the gunman", 3 / 4, 1 / 3, 3 / 4),
        ("the gunman kill police", "police kill the gunman", 1.0, 1 / 3, 1 / 2),
        ("nothing", "police kill the gunman", 0.0, 0.0, 0.0),
        ("", "police kill the gunman", 0.0, 0.0, 0.0),
    ],
)
def test_rouge_of_one_row_by_hand(prediction: str, reference: str, one: float, two: float, longest: float) -> None:
    rows = [prediction], [[reference]]
    assert rouge1(*rows, [])["rouge1"] == pytest.approx(one)
    assert rouge2(*rows, [])["rouge2"] == pytest.approx(two)
    assert rougeL(*rows, [])["rougeL"] == pytest.approx(longest)


def test_bleu_by_hand() -> None:
    # 1- to 4-gram precisions 5/6, 3/5, 1/4 and a smoothed 1/(2 * 3), no brevity penalty
    value = (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25
    assert bleu(["the cat sat on the mat"], [["the cat is on the mat"]], []) == {"bleu": pytest.approx(value)}


# --- against the libraries ---


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("right_answers", [1, 3])
def test_rouge_score_agrees(seed: int, right_answers: int) -> None:
    predictions, references = _random_rows(seed, right_answers)
    kinds = ["rouge1", "rouge2", "rougeL"]
    scores = score(kinds, predictions, references, [])
    theirs = [RougeScorer(kinds).score_multi(item, text) for text, item in zip(predictions, references, strict=True)]
    for kind in kinds:
        assert scores[kind] == pytest.approx(sum(item[kind].fmeasure for item in theirs) / len(theirs))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("right_answers", [1, 3])
def test_sacrebleu_agrees(seed: int, right_answers: int) -> None:
    predictions, references = _random_rows(seed, right_answers)
    theirs = sacrebleu.corpus_bleu(predictions, [list(stream) for stream in zip(*references, strict=True)])
    assert bleu(predictions, references, [])["bleu"] == pytest.approx(theirs.score / 100)


def test_items_may_have_different_numbers_of_right_answers() -> None:
    predictions, references = _random_rows(0, 3)
    references = [item[: 1 + number % 3] for number, item in enumerate(references)]
    streams = [list(stream) for stream in zip_longest(*references)]
    assert bleu(predictions, references, [])["bleu"] == pytest.approx(
        sacrebleu.corpus_bleu(predictions, streams).score / 100
    )
    assert bleu_signature(predictions, references).startswith("nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:")


# --- known traps ---


def test_one_bleu_for_the_split_is_not_the_mean_of_its_items() -> None:
    predictions, references = ["a b c d", "x"], [["a b c d"], ["x y z u v w"]]
    each = [bleu([text], [item], [])["bleu"] for text, item in zip(predictions, references, strict=True)]
    assert bleu(predictions, references, [])["bleu"] != pytest.approx(sum(each) / 2)


@pytest.mark.parametrize("name", TEXT_METRICS)
def test_case_of_code_counts_where_the_metric_is_for_code(name: str) -> None:
    lower = score([name], ["x = list(range(Y, 3))"], [["x = list(range(Y, 3))"]], [])[name]
    upper = score([name], ["X = List(Range(Y, 3))"], [["x = list(range(Y, 3))"]], [])[name]
    assert (upper < lower) == (name in ("exact_match", "bleu"))


@pytest.mark.parametrize(
    "code",
    ["x = 1", "  x = 1\n", "def f():\n    return X\n", "class A: ...", "pass", "yield", "'text'", "x is 'y'", "'\\d'"],
)
@pytest.mark.filterwarnings("error")
def test_python_is_python(code: str) -> None:
    assert is_python(code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "# a remark",
        "x = ",
        "print 'x'",
        "if x:\ny",
        "```python\nx = 1\n```",
        "Here is the code: x = 1",
        "\0",
        "\ud800",
        "(" * 300,
        "-" * 90_000 + "1",
        "x" + ".y" * 40_000,
        "[" * 40_000 + "]" * 40_000,
        "x = 1\n" * LONGEST_CODE,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_anything_else_is_not_and_breaks_nothing(text: str) -> None:
    assert not is_python(text)
    assert parses([text, "x = 1"], [["x"], ["x"]], []) == {"parses": 0.5}


def test_nothing_is_executed(tmp_path: object) -> None:
    assert is_python(f"open({str(tmp_path)!r} + '/made', 'w')\nraise SystemExit")
    assert not list(tmp_path.iterdir())  # type: ignore[attr-defined]


# --- properties ---


@untimed
@given(st.text(max_size=300))
def test_parser_never_crashes(text: str) -> None:
    assert is_python(text) in (True, False)


@untimed
@given(st.lists(st.text(st.sampled_from("abAB .,'x"), max_size=20), min_size=1, max_size=5))
def test_right_answers_score_all(texts: list[str]) -> None:
    rows = texts, [["another", text] for text in texts]
    for metric in (exact_match, exact_answer, token_f1):
        assert list(metric(*rows, []).values()) == [1.0]


@untimed
@given(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=3), st.text(max_size=30))
def test_a_further_right_answer_never_costs(prediction: str, item: list[str], more: str) -> None:
    for metric in (exact_match, exact_answer, token_f1, rouge1, rouge2, rougeL):
        name = metric.__name__
        assert metric([prediction], [[*item, more]], [])[name] >= metric([prediction], [item], [])[name]


@untimed
@given(st.text(max_size=30), st.text(max_size=30))
def test_f1_is_symmetric_and_full_only_for_the_same_words(one: str, other: str) -> None:
    value = token_f1([one], [[other]], [])["token_f1"]
    assert value == token_f1([other], [[one]], [])["token_f1"]
    assert (value == 1.0) == (sorted(words(one)) == sorted(words(other)))
    assert exact_answer([one], [[other]], [])["exact_answer"] <= value
