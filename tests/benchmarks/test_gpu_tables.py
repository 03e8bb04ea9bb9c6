"""The tables of a measurement on a GPU."""

import gpu_tables

SIDE = {
    **{"seconds_a_step": 0.02, "tokens_a_second": 12345.6, "kernels_a_step": 900.0, "waits_a_step": 1.5},
    **{"peak_gb": 1.5, "warm_seconds": 30.0},
}


def test_a_side_has_the_plain_ones_time_over_its_own() -> None:
    parts = {
        "steps a": {"flex": {"refused": "no"}, "usual": SIDE, "plain": {**SIDE, "seconds_a_step": 0.05}},
        "cell a": {"kedro run": {"seconds": 20.0}, "plain": {"seconds": 30.0}},
        "4 cells a": {"seconds": 24.0, "seconds_a_cell": 6.0, "peak_gb": 4.0},
    }
    lines = gpu_tables.page({"device": "d", "machine": "m", "minutes": 1.0, "parts": parts}).splitlines()
    assert "| here, along paths | 20.0 | 12,346 | 900 | 1.5 | 1.50 | 30.0 | 2.50 |" in lines
    assert "| Trainer and peft | 50.0 | 12,346 | 900 | 1.5 | 1.50 | 30.0 |  |" in lines
    assert "| here, FlexAttention: no | | | | | | | |" in lines
    assert "| Trainer, peft and generate | 30.0 | 1.50 |" in lines
    assert "24.0 s, 6.0 s a cell, 4.00 GB; one alone 20.0 s" in lines
    assert len({line.count("|") for line in lines if line.startswith("| here") or line.startswith("|---")}) == 2
