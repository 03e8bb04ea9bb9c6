"""Errors of published benchmark code, each as a test that must stay; more in test_classification and test_numbers."""

import base_rows
import pytest
import tiny

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.data.example import adapt_row
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.evaluation.metrics.classification import accuracy, invalid_rate, macro_f1
from peft_pipelines.evaluation.metrics.number_parsing import final_number
from peft_pipelines.evaluation.metrics.registry import score
from peft_pipelines.evaluation.metrics.text import exact_answer, token_f1
from peft_pipelines.storage.splits import RowsFolder

TASKS = {
    name: parse(TaskSpec, f"task '{name}'", {**row, "name": name}) for name, row in base_rows.rows_of("tasks").items()
}
FOLDERS = [base_rows.PROJECT / "data/01_raw/samples/svamp", base_rows.PROJECT.parent / "shared/data/svamp"]
CONSTANT = "(1+1)=2"


@pytest.mark.parametrize("folder", FOLDERS, ids=["samples", "real"])
def test_1_a_constant_equation_gets_only_the_twos_of_the_numbers_right(folder) -> None:
    if not folder.is_dir():
        pytest.skip(f"no rows at {folder}")
    rows = RowsFolder(filepath=str(folder)).load()["test"].to_pylist()
    references = [adapt_row(row, TASKS["svamp"], "row")["references"] for row in rows]
    scores = score(TASKS["svamp"].metrics, [CONSTANT] * len(rows), references, [])
    twos = sum(final_number(item[0]) == 2 for item in references) / len(rows)
    assert scores["equation_accuracy"] == 0.0
    assert scores["number_accuracy"] == twos < 0.1
    assert scores["equation_consistency"] == 1.0
    without = [item for item in references if final_number(item[0]) != 2]
    assert score(["number_accuracy"], [CONSTANT] * len(without), without, [])["number_accuracy"] == 0.0


def test_1_what_a_constant_can_win_stands_for_no_task() -> None:
    assert not [name for name, task in TASKS.items() if task.primary == "equation_consistency"]


def test_2_one_invalid_answer_in_100_moves_macro_f1_by_half_a_point() -> None:
    gold = ["no", "yes"] * 50
    found = macro_f1(["maybe", *gold[1:]], [[word] for word in gold], ["no", "yes"])["macro_f1"]
    assert found == pytest.approx(0.995, abs=2e-4)


def test_3_strings_with_the_same_first_16_characters_are_different() -> None:
    one, other = "not_equivalent_at_all", "not_equivalent_at_present"
    assert one[:16] == other[:16]
    rows = [one, one[:16]], [[other], [one]], [one, other]
    assert accuracy(*rows) == {"accuracy": 0.0}
    assert macro_f1(*rows) == {"macro_f1": 0.0}
    assert invalid_rate(*rows) == {"invalid_rate": 0.5}


@pytest.mark.parametrize("template", [None, tiny.CHATML, tiny.DATED], ids=["plain", "chatml", "dated"])
@pytest.mark.parametrize("between", ["", "\n", " \n\n"])
def test_4_a_right_label_before_a_newline_or_an_end_of_turn_is_right(template, between: str) -> None:
    prompter = Prompter(tiny.tokenizer(template), template is not None, 512)
    tokens = prompter.encode("Is it fun?", f"yes{between}").answer
    stop = prompter.end_of_turn()[-1:]
    assert tokens[-1] in stop
    behind = [*tokens, *prompter.encode("Is it fun?", "no").answer]
    for answer in (tokens, behind):
        text = prompter.decode(answer, stop)
        scores = score(["accuracy", "macro_f1", "invalid_rate"], [text, "no"], [["yes"], ["no"]], ["no", "yes"])
        assert scores == {"accuracy": 1.0, "macro_f1": 1.0, "invalid_rate": 0.0, "n": 2.0}


def test_of_several_right_answers_the_best_counts_and_counts_once() -> None:
    rows = ["the Boa Hora", "Duarte"], [["Kittiwake", "Boa Hora"], ["Duarte Pires", "Pires"]], []
    assert exact_answer(*rows) == {"exact_answer": 0.5}
    assert token_f1(*rows) == {"token_f1": pytest.approx((1 + 2 / 3) / 2)}
    assert score(TASKS["record"].metrics, *rows)["n"] == 2.0
