"""The numbers in codebleu_0_7_0.json were printed by the package codebleu 0.7.0 (tree-sitter 0.22.3, grammar 0.21.0).

Its items are our own code; all have the same numbers there under 16 different hash seeds.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peft_pipelines.evaluation.metrics.codebleu import LONGEST_CODE, codebleu, tree, without_remarks
from peft_pipelines.evaluation.metrics.codebleu_dataflow import data_flow

PUBLISHED = json.loads((Path(__file__).parent / "codebleu_0_7_0.json").read_text())
PREDICTIONS = [item["prediction"] for item in PUBLISHED["items"]]
REFERENCES = [item["references"] for item in PUBLISHED["items"]]
PARTS = ["codebleu_ngram", "codebleu_keywords", "codebleu_syntax", "codebleu_dataflow"]
untimed = settings(deadline=None)


def _parts(prediction: str, *right: str) -> list[float]:
    scores = codebleu([prediction], [list(right)], [])
    return [scores[name] for name in PARTS]


# --- against the package codebleu ---


@pytest.mark.parametrize("item", PUBLISHED["items"], ids=lambda item: item["prediction"][:20])
def test_parts_of_one_item_are_the_published_ones(item: dict[str, object]) -> None:
    assert _parts(str(item["prediction"]), *item["references"]) == pytest.approx(item["scores"], abs=1e-9)  # type: ignore[misc]


def test_all_items_together_have_the_published_score() -> None:
    scores = codebleu(PREDICTIONS, REFERENCES, [])
    assert [scores[name] for name in PARTS] == pytest.approx(PUBLISHED["corpus"], abs=1e-9)
    assert scores["codebleu"] == pytest.approx(PUBLISHED["codebleu"], abs=1e-9)


def test_the_hash_seed_does_not_matter() -> None:
    code = (
        "from peft_pipelines.evaluation.metrics.codebleu import codebleu\n"
        "print(codebleu(['for i in range(9):\\n    t = t + i'], [['t = 0\\nfor i in range(9):\\n    t += i']], []))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "src"},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1


# --- by hand ---


def test_the_right_answer_scores_all_where_it_has_four_words_and_flow() -> None:
    code = "def f(x):\n    return x + 1"
    assert codebleu([code], [[code]], [])["codebleu"] == pytest.approx(1.0)
    assert codebleu(["x = y"], [["x = y"]], [])["codebleu"] < 1.0


def test_keywords_weigh_five_times_as_much_as_other_words() -> None:
    found, whole = 1 + 0.2, 1 + 3 * 0.2  # not and a of: not a b c
    orders = [found / whole, 1 / 3, 0.1 / 2, 0.1 / 1]
    expected = (orders[0] * orders[1] * orders[2] * orders[3]) ** 0.25
    assert _parts("not a", "not a b c")[1] == pytest.approx(expected)


def test_names_matter_to_words_and_not_to_trees() -> None:
    words, keywords, syntax, flow = _parts("p = q\nr = p", "x = y\nz = x")
    assert (syntax, flow) == (1.0, 1.0)
    assert words < 0.4 and keywords < 0.4


LAST = [(2, "comesFrom", ()), (1, "comesFrom", (1,))]


@pytest.mark.parametrize(
    ("code", "flow"),
    [
        ("", []),
        ("f()", []),
        ("x = 1", [(1, "computedFrom", (0,)), (0, "comesFrom", ())]),
        ("x = 1\nx", [(1, "computedFrom", (0,)), (0, "comesFrom", ()), (1, "comesFrom", (1,))]),
        ("def f(n=0): pass", [(1, "comesFrom", (0,)), (0, "comesFrom", ())]),
        ("x: int", []),
        ("a not in b is not c", []),
        ("a = b is not c", [(2, "computedFrom", (0, 1)), (0, "comesFrom", ()), (1, "comesFrom", ())]),
        (
            "if a:\n  b = 1\nelse:\n  b = 2\nb",
            [(1, "computedFrom", (0,)), (0, "comesFrom", ()), (1, "computedFrom", (2,)), *LAST],
        ),
    ],
)
def test_data_flow_of_a_program(code: str, flow: list[object]) -> None:
    assert data_flow(tree(code)) == flow


def test_the_end_of_a_loop_reaches_its_start() -> None:
    flow = data_flow(tree("while True:\n  print(x)\n  x = y"))
    assert (0, "comesFrom", (0,)) in flow


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1  # one", "x = 1  "),
        ('"""Doc."""\nx = """kept"""', 'x = """kept"""'),
        ("def f():\n    'Doc.'\n    return 'kept'", "def f():\n    return 'kept'"),
        ("x = (1,\n", "x = (1,\n"),
        ("\n\nx\n\n\ny\n", "x\ny"),
    ],
)
def test_comments_and_docstrings_are_removed(code: str, expected: str) -> None:
    assert without_remarks(code) == expected


# --- known traps ---


def test_nonsense_does_not_score_a_quarter() -> None:
    assert codebleu(["nothing to see"], [["x = y"]], [])["codebleu"] == 0.0


def test_right_answers_without_flow_leave_three_scores() -> None:
    scores = codebleu(["print('a')"], [["print('a')"]], [])
    assert scores["codebleu_dataflow"] == 0.0
    assert scores["codebleu"] == pytest.approx(sum(scores[name] for name in PARTS[:3]) / 3)


def test_case_counts() -> None:
    assert _parts("Result = Total + 1", "result = total + 1")[0] < 1.0


def test_letters_beyond_ascii_do_not_shift_the_words_behind_them() -> None:
    assert _parts("s = 'äöü'; t = s", "s = 'äöü'; t = s")[3] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "\ud800",
        "(" * 9_000,
        "-" * 9_000 + "1",
        "x" + ".y" * 9_000,
        "[" * 5_000 + "]" * 5_000,
        "x" * (LONGEST_CODE + 1),
    ]
    + [
        "\n".join(" " * depth + head for depth in range(60)) + "\n" + " " * 60 + "x = y"
        for head in ("while x:", "for x in y:")
    ],
    ids=lambda text: repr(text[:10]),
)
def test_code_that_is_odd_long_or_deep_is_scored_too(text: str) -> None:
    assert 0.0 <= codebleu([text], [["x = y"]], [])["codebleu"] <= 1.0
    assert 0.0 <= codebleu(["x = y"], [[text]], [])["codebleu"] <= 1.0


# --- properties ---


@untimed
@given(
    st.lists(
        st.tuples(st.text(max_size=60), st.lists(st.text(max_size=60), min_size=1, max_size=3)), min_size=1, max_size=5
    )
)
def test_scores_keep_their_range_on_arbitrary_text(rows: list[tuple[str, list[str]]]) -> None:
    scores = codebleu([answer for answer, _ in rows], [item for _, item in rows], [])
    assert all(type(value) is float and 0.0 <= value <= 1.0 + 1e-9 for value in scores.values())


@untimed
@given(st.permutations(range(len(PREDICTIONS))))
def test_order_of_the_items_does_not_matter(order: list[int]) -> None:
    mixed = codebleu([PREDICTIONS[i] for i in order], [REFERENCES[i] for i in order], [])
    assert mixed == pytest.approx(codebleu(PREDICTIONS, REFERENCES, []))
