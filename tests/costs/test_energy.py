"""The estimate of energy: real where it is switched on, and never in the way of a result."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import energy, measure
from peft_pipelines.costs.energy import EnergySpec

ON = EnergySpec(enabled=True, country="SVK")


@pytest.fixture(autouse=True)
def _off_afterwards() -> Iterator[None]:
    yield
    energy.configure(None)


def work(seconds: float = 0.3) -> None:
    """Keep a core busy."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_work_draws_energy_without_network_files_or_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(*args: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.chdir(tmp_path)
    energy.configure(ON)
    with measure.cost() as spent:
        work()
    assert 0 < spent["energy_wh"] < 1
    assert spent["co2_g"] == pytest.approx(0.1168 * spent["energy_wh"], rel=0.01)  # the country's grams a watt-hour
    assert spent["energy_method"].startswith("estimate of codecarbon ")
    assert "SVK: " in spent["energy_method"]
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def energy_of(seconds: float) -> float:
    with measure.cost() as spent:
        work(seconds)
    return float(spent["energy_wh"])


def test_twice_the_work_draws_about_twice_the_energy_and_costs_little_time() -> None:
    energy.configure(ON)
    started = time.process_time()  # of this process alone, whatever else the machine does
    with measure.cost():
        pass
    drawn = [energy_of(seconds) for seconds in (1.0, 2.0)]
    assert time.process_time() - started < 3 + 3 * 0.5 + 2  # the machine is looked at once
    ratios = [drawn[1] / drawn[0]]
    while not 1.5 < ratios[-1] < 2.7 and len(ratios) < 3:  # other work on the machine blurs an estimate by load
        ratios.append(energy_of(2.0) / energy_of(1.0))
    assert 1.5 < ratios[-1] < 2.7, ratios


def test_one_switch_turns_it_off() -> None:
    energy.configure(EnergySpec(enabled=False, country="SVK"))
    with measure.cost() as spent:
        pass
    assert (spent["energy_wh"], spent["co2_g"]) == (None, None)
    assert spent["energy_method"] == "not measured: switched off"
    assert spent["seconds"] >= 0


def test_where_the_library_is_missing_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "find_spec", lambda name: None)
    energy.configure(ON)
    with measure.cost() as spent:
        pass
    assert spent["energy_method"] == "not measured: codecarbon is not installed"


def test_a_failing_estimate_costs_nothing_but_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def start_task(self) -> None:
            raise PermissionError("no power\nmeter")

    energy.configure(ON)
    monkeypatch.setattr(energy, "_tracker", lambda country: Broken())
    with measure.cost() as spent:
        pass
    assert spent["energy_wh"] is None
    assert spent["energy_method"] == "not measured: PermissionError: no power meter"


def test_the_works_own_error_comes_through() -> None:
    energy.configure(ON)
    with pytest.raises(ZeroDivisionError), measure.cost():
        _ = 1 / 0
    with measure.cost() as spent:
        work()
    assert spent["energy_wh"] > 0


def test_an_unknown_country_is_refused_before_the_run() -> None:
    with pytest.raises(ConfigError, match=r"energy, country: 'SVX' is none of the \d+ known, such as .*SVK"):
        energy.configure(EnergySpec(enabled=True, country="SVX"))
