"""The learning-rate ladder: each rung is what its rate alone would be; validation chooses; rungs resume."""

from pathlib import Path

import pytest
import small_trainings as trained
import tiny

from peft_pipelines.config import Grid, TuningSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.training import lr_search
from peft_pipelines.training.loss import Objective, Shortcuts
from peft_pipelines.training.train import train

NAMES = {axis: ["x"] for axis in ("methods", "models", "tasks", "seeds")}
RATES = (0.0001, 0.02, 0.0005)


class Climber:
    """Climbs as the node does, and notes what it trained."""

    def __init__(self, folder: Path, name: str = "lora", rates: tuple[float, ...] = RATES, **values) -> None:
        self.folders = {rate: folder / f"{rate}" for rate in rates}
        self.name, self.values, self.fitted = name, values, []

    def fresh(self):
        return tiny.attach(self.name, "llama")

    def fit(self, attached, rate, state, phase):
        self.fitted.append((rate, phase))
        protocol = trained.protocol(**{**self.values, "learning_rate": rate})
        attached.plain.train()
        shortcuts = Shortcuts.of(attached, protocol)
        objective = Objective(attached, shortcuts, trained.START)
        return train(objective, trained.rows(), trained.VALIDATION, protocol, 0, 257, state, phase)

    def climb(self):
        return lr_search.climb(self.fresh(), self.fresh, self.fit, self.folders)


def weights(attached, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    providers.save(attached, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["lora", "prefix_tuning", "sequential_bottleneck", "full", "pissa", "svft"])
def test_the_chosen_rung_holds_the_weights_of_that_rate_alone(name, tmp_path):
    climber = Climber(tmp_path / "ladder", name, epochs=1)
    attached, rungs = climber.climb()
    best = lr_search.chosen(rungs)
    alone, (only,) = Climber(tmp_path / "alone", name, (best["learning_rate"],), epochs=1).climb()
    same = ("learning_rate", "validation_loss", "best_step", "steps", "tokens", "log")
    assert {key: best[key] for key in same} == {key: only[key] for key in same}
    assert best["validation_loss"] == min(rung["validation_loss"] for rung in rungs)
    assert weights(attached, tmp_path / "a") == weights(alone, tmp_path / "b")


def test_each_rung_says_what_it_was(tmp_path):
    climber = Climber(tmp_path)
    _, rungs = climber.climb()
    assert climber.fitted == [(rate, f"train, learning rate {place} of 3") for place, rate in enumerate(RATES, 1)]
    record = lr_search.record_of(rungs)
    assert [rung["learning_rate"] for rung in record["ladder"]] == list(RATES)
    assert [rung["chosen"] for rung in record["ladder"]] == [False, True, False]
    assert record["learning_rate"] == 0.02
    tokens = 3 * sum(len(row.ids) for row in trained.rows())
    assert {(rung["steps"], rung["tokens"], rung["diverged"]) for rung in record["ladder"]} == {(18, tokens, False)}
    assert record["ladder_edge"]
    assert record["train_seconds"] == record["ladder"][1]["seconds"]
    assert record["tuning_seconds"] == pytest.approx(sum(rung["seconds"] for rung in record["ladder"]))
    assert record["tuning_seconds"] > record["train_seconds"]
    assert record["tuning_cpu_seconds"] > record["train_cpu_seconds"] > 0
    assert not {"log", "chosen"} & (record["ladder"][0].keys() - {"chosen"})


def rung(rate: float, loss: float | None, **more) -> dict:
    cost = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_memory_gb": 0.1, "memory_kind": "-"}
    outcome = {"steps": 2, "best_step": 1, "tokens": 9, "validation_loss": loss, "log": []}
    return {"learning_rate": rate, "diverged": False, **outcome, "cost": cost, **more}


@pytest.mark.parametrize(
    ("rungs", "rate", "edge"),
    [
        ([rung(0.1, 3.0)], 0.1, False),
        ([rung(0.1, 3.0), rung(0.2, 2.0), rung(0.3, 2.5)], 0.2, False),
        ([rung(0.1, 1.0), rung(0.2, 2.0), rung(0.3, 2.5)], 0.1, True),
        ([rung(0.1, 3.0), rung(0.2, 2.0), rung(0.3, 1.0)], 0.3, True),
        ([rung(0.1, 3.0), rung(0.2, 2.0), rung(0.3, None, diverged=True)], 0.2, False),
        ([rung(0.1, 2.0), rung(0.2, 2.0)], 0.1, True),
    ],
)
def test_the_lowest_validation_loss_is_chosen_and_an_edge_is_told(rungs, rate, edge):
    record = lr_search.record_of(rungs)
    assert (record["learning_rate"], record["ladder_edge"]) == (rate, edge)


def test_a_killed_ladder_goes_on_where_it_was(tmp_path):
    whole, expected = Climber(tmp_path / "whole").climb()
    cut = Climber(tmp_path / "cut")
    first, second, _ = cut.folders
    attached = cut.fresh()
    lr_search.climb(attached, cut.fresh, cut.fit, {first: cut.folders[first]})
    with pytest.raises(KeyboardInterrupt):
        trained.interrupt(cut.folders[second], 11, learning_rate=second)
    again = Climber(tmp_path / "cut")
    attached, rungs = again.climb()
    assert [rate for rate, _ in again.fitted] == list(RATES[1:])
    for mine, theirs in zip(rungs, expected, strict=True):
        assert {**mine, "cost": None} == {**theirs, "cost": None}
    assert weights(attached, tmp_path / "a") == weights(whole, tmp_path / "b")


def test_a_finished_ladder_trains_nothing_again(tmp_path):
    attached, _ = Climber(tmp_path / "x").climb()
    again = Climber(tmp_path / "x")
    repeated, _ = again.climb()
    assert not again.fitted
    assert weights(repeated, tmp_path / "a") == weights(attached, tmp_path / "b")


def test_only_the_best_rung_keeps_weights(tmp_path):
    Climber(tmp_path).climb()
    kept = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.safetensors")]
    assert kept == ["0.02/best/trainable.safetensors"]


WILD = {"schedule": "constant", "max_grad_norm": 1e30, "epochs": 1}


def test_a_diverged_rung_is_recorded_and_not_chosen(tmp_path):
    attached, rungs = Climber(tmp_path, rates=(0.01, 1e30), **WILD).climb()
    assert [rung["diverged"] for rung in rungs] == [False, True]
    assert rungs[1]["validation_loss"] is None
    assert 0 < rungs[1]["tokens"] <= sum(len(row.ids) for row in trained.rows())
    assert rungs[1]["steps"] in (2, 3, 5, 6)
    assert lr_search.record_of(rungs)["learning_rate"] == 0.01
    assert all(value.isfinite().all() for value in attached.trainable().values())


@pytest.mark.parametrize("rates", [(1e30,), (1e29, 1e30)])
def test_a_ladder_on_which_all_diverge_is_an_error(rates, tmp_path):
    with pytest.raises(ConfigError) as caught:
        Climber(tmp_path, rates=rates, **WILD).climb()
    assert str(caught.value).startswith("method 'lora': training diverged at ")
    assert ", ".join(f"{rate:g}" for rate in rates) in str(caught.value)


def test_nothing_to_train_has_a_rung_without_steps(tmp_path):
    for _ in range(2):
        _, rungs = Climber(tmp_path, "zero_shot", (0.001,)).climb()
    record = lr_search.record_of(rungs)
    assert (record["steps"], record["validation_loss"], record["ladder_edge"]) == (0, None, False)


def test_the_base_is_untouched_by_a_ladder(tmp_path):
    base = tiny.base("llama")
    before = base_model.checksum(base)
    Climber(tmp_path, "full", epochs=1).climb()
    assert base_model.checksum(base) == before


def test_without_tuning_the_ladder_is_the_methods_own_rate():
    assert parse(Grid, "grid.yml", NAMES).tuning.ladder(0.002) == (0.002,)


def test_a_ladder_climbs_from_the_lowest_rate():
    tuning = parse(Grid, "grid.yml", {**NAMES, "tuning": {"factors": [1, 0.1, 10]}}).tuning
    assert tuning == TuningSpec(factors=(1.0, 0.1, 10.0))
    assert tuning.ladder(0.5) == (0.05, 0.5, 5.0)


@pytest.mark.parametrize(
    ("tuning", "words"),
    [
        ({"factors": []}, "grid.yml, tuning.factors: Value should have at least 1 item"),
        ({"factors": [0.0, 1.0]}, "grid.yml, tuning.factors.0: Input should be greater than 0, got 0.0"),
        ({"factors": [1, 1.0]}, "grid.yml, tuning: factors must be distinct, got 1 twice"),
        ({"factors": [float("inf")]}, "grid.yml, tuning.factors.0: Input should be a finite number, got inf"),
        ({"factors": list(range(1, 22))}, "grid.yml, tuning.factors: Value should have at most 20 items"),
        (
            {"factor": [1], "factors": [1]},
            "grid.yml: unknown field 'tuning.factor', did you mean 'factors'? Allowed: factors",
        ),
        ({"factors": ["1e-3"]}, "grid.yml, tuning.factors.0: Input should be a valid number, got '1e-3'"),
    ],
)
def test_a_wrong_ladder_is_refused_in_one_line(tuning, words):
    with pytest.raises(ConfigError) as caught:
        parse(Grid, "grid.yml", {**NAMES, "tuning": tuning})
    assert words in str(caught.value)
