"""A claim that is lost in the middle: the unit is looked at again, and made if nobody has."""

from pathlib import Path

import pytest
import trivial
from trivial import CALLS, catalog, pipeline, ran

from peft_pipelines.running import turns
from peft_pipelines.running.claims import ClaimLost


class Once(dict[str, Exception]):
    """Errors that are raised once each."""

    def get(self, name: str, default: object = None) -> Exception | None:  # type: ignore[override]
        return self.pop(name, None)


def test_a_cell_whose_claim_was_lost_and_released_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(turns, "POLL", 0.01)
    monkeypatch.setattr(trivial, "ERRORS", Once({"train.b.x": ClaimLost(None)}))
    ran(pipeline(), catalog(tmp_path))
    assert CALLS.count("train.b.x") == 2
    said = capsys.readouterr().err.splitlines()
    assert "b · m · x · s0: taken over by nobody, since this run was silent" in said
    assert sum("b · m · x · s0: points 50.0 %" in line for line in said) == 1
    assert len(list(tmp_path.glob("m/*/*/s0/metrics.json"))) == 4
