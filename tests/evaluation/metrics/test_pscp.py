import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peft_pipelines.evaluation.metrics.pscp import pscp

CONSTANTS = {"c_p": 5e8, "c_f": 10.0, "c_m": 94.0, "beta_p": 1.0, "beta_f": 1.0, "beta_m": 1.0}
BASE_TFLOP = 8.38

# method, performance, trainable parameters, TFLOP of the method, peak memory in GB, published PSCP
PUBLISHED = [
    ("LN tuning", 77.8, 266_240, 8.38, 27.43, 60.19),
    ("LoRA", 80.1, 14_680_064, 8.38, 27.75, 60.08),
    ("BitFit", 75.3, 163_840, 8.38, 27.20, 58.38),
    ("IA3", 74.7, 196_608, 8.69, 28.41, 55.62),
    ("prefix tuning", 45.9, 34_177_536, 8.39, 27.61, 33.18),
    ("prompt tuning", 50.0, 409_600, 10.05, 42.47, 29.49),
    ("P-tuning", 51.7, 53_130_752, 10.06, 34.53, 29.26),
]
Row = tuple[str, float, int, float, float, float]


def _pscp(row: Row, **constants: float) -> dict[str, float]:
    _, performance, parameters, tflop, memory_gb, _ = row
    return pscp(performance, parameters, tflop - BASE_TFLOP, memory_gb, **{**CONSTANTS, **constants})


@pytest.mark.parametrize("row", PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_published_table_is_reproduced_with_the_difference_of_tflop(row: Row) -> None:
    assert _pscp(row)["pscp"] == pytest.approx(row[-1], abs=0.01)


def test_published_winner_changes_with_beta_p() -> None:
    ln_tuning, lora = PUBLISHED[:2]
    assert _pscp(ln_tuning)["pscp"] > _pscp(lora)["pscp"]
    assert _pscp(lora, beta_p=0.5)["pscp"] == pytest.approx(60.95, abs=0.01)
    assert _pscp(ln_tuning, beta_p=0.5)["pscp"] == pytest.approx(60.21, abs=0.01)


def test_absolute_tflop_gives_another_number_than_the_difference() -> None:
    absolute = pscp(80.1, 14_680_064, BASE_TFLOP, 27.75, **CONSTANTS)
    assert absolute["pscp_factor_compute"] == pytest.approx(1 / 1.838)
    assert absolute["pscp"] == pytest.approx(60.08 / 1.838, abs=0.01)


def test_keys_come_in_order_and_the_factors_multiply_to_the_score() -> None:
    scores = pscp(50.0, 5e8, 30.0, 94.0, **{**CONSTANTS, "beta_f": 0.5})
    assert list(scores) == ["pscp", "pscp_factor_parameters", "pscp_factor_compute", "pscp_factor_memory"]
    assert list(scores.values()) == pytest.approx([6.25, 0.5, 0.5, 0.5])


def test_free_method_keeps_its_performance() -> None:
    assert pscp(77.7, 0, 0.0, 0.0, **CONSTANTS) == {
        "pscp": 77.7,
        "pscp_factor_parameters": 1.0,
        "pscp_factor_compute": 1.0,
        "pscp_factor_memory": 1.0,
    }


def test_cheaper_than_its_base_is_a_factor_above_one() -> None:
    assert pscp(50.0, 0, -5.0, 0.0, **CONSTANTS)["pscp_factor_compute"] == pytest.approx(2.0)


@pytest.mark.parametrize(("tflop", "c_f"), [(-10.0, 10.0), (-11.0, 10.0), (1.0, 0.0), (1.0, -1.0)])
def test_penalty_without_meaning_is_refused_in_one_line(tflop: float, c_f: float) -> None:
    with pytest.raises(ValueError, match=r"^tflop: \S+ with the constant \S+ has no penalty; [^\n]+$"):
        pscp(50.0, 0, tflop, 0.0, **{**CONSTANTS, "c_f": c_f})


def test_constants_have_no_defaults() -> None:
    with pytest.raises(TypeError, match="6 required keyword-only arguments"):
        pscp(50.0, 0, 0.0, 0.0)  # type: ignore[call-arg]


untimed = settings(deadline=None)  # a busy machine is no error
cost = st.floats(min_value=0, max_value=1e12)


@untimed
@given(st.floats(min_value=0, max_value=100), cost, cost, cost, st.floats(min_value=0, max_value=3))
def test_costs_only_lower_the_score(performance: float, p: float, f: float, m: float, beta: float) -> None:
    scores = pscp(performance, p, f, m, **{**CONSTANTS, "beta_p": beta})
    score, *factors = scores.values()
    assert 0 <= score <= performance
    assert all(0 < factor <= 1 for factor in factors)
    assert math.isclose(score, performance * math.prod(factors), abs_tol=1e-9)
