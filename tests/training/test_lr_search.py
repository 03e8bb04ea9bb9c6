"""The learning-rate search: each trial is what its rate alone would be; validation chooses; trials resume."""

from pathlib import Path

import pytest
import small_trainings as trained
import tiny

from peft_pipelines.config import Grid, LrSearchSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.training import lr_search
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.train import train
from peft_pipelines.training.trainer import TrainingJob

NAMES = {axis: ["x"] for axis in ("methods", "models", "tasks", "seeds")}
RATES = (0.0001, 0.02, 0.0005)


class Searcher:
    """Searches as the node does, and notes the trainings that ran."""

    def __init__(self, folder: Path, name: str = "lora", rates: tuple[float, ...] = RATES, **values) -> None:
        self.folders = {rate: folder / f"{rate}" for rate in rates}
        self.name, self.values, self.fitted = name, values, []

    def fresh(self):
        return tiny.attach(self.name, "llama")

    def fit(self, attached, rate, state, phase):
        self.fitted.append((rate, phase))
        training_args = trained.training_args(**{**self.values, "learning_rate": rate})
        attached.plain.train()
        shortcuts = Shortcuts.of(attached, training_args)
        model = LabelLogits(attached, shortcuts, trained.START)
        return train(model, TrainingJob(trained.rows(), trained.VALIDATION, training_args, 0, 257, state, phase))

    def search(self):
        return lr_search.search(self.fresh(), self.fresh, self.fit, self.folders)


def weights(attached, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    providers.save(attached, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["lora", "prefix_tuning", "sequential_bottleneck", "full", "pissa", "svft"])
def test_the_chosen_trial_holds_the_weights_of_that_rate_alone(name, tmp_path):
    searcher = Searcher(tmp_path / "lr_search", name, epochs=1)
    attached, trials = searcher.search()
    best = lr_search.chosen(trials)
    alone, (only,) = Searcher(tmp_path / "alone", name, (best["learning_rate"],), epochs=1).search()
    same = ("learning_rate", "validation_loss", "best_step", "steps", "tokens", "log")
    assert {key: best[key] for key in same} == {key: only[key] for key in same}
    assert best["validation_loss"] == min(trial["validation_loss"] for trial in trials)
    assert weights(attached, tmp_path / "a") == weights(alone, tmp_path / "b")


def test_each_trial_says_what_it_was(tmp_path):
    searcher = Searcher(tmp_path)
    _, trials = searcher.search()
    assert searcher.fitted == [(rate, f"train, learning rate {place} of 3") for place, rate in enumerate(RATES, 1)]
    record = lr_search.record_of(trials)
    assert [trial["learning_rate"] for trial in record["lr_search"]] == list(RATES)
    assert [trial["chosen"] for trial in record["lr_search"]] == [False, True, False]
    assert record["learning_rate"] == 0.02
    tokens = 3 * sum(len(row.ids) for row in trained.rows())
    assert {(trial["steps"], trial["tokens"], trial["diverged"]) for trial in record["lr_search"]} == {
        (18, tokens, False)
    }
    assert record["lr_at_edge"]
    assert record["train_seconds"] == record["lr_search"][1]["seconds"]
    assert record["lr_search_seconds"] == pytest.approx(sum(trial["seconds"] for trial in record["lr_search"]))
    assert record["lr_search_seconds"] > record["train_seconds"]
    assert record["lr_search_cpu_seconds"] > record["train_cpu_seconds"] > 0
    assert not {"log", "chosen"} & (record["lr_search"][0].keys() - {"chosen"})


def trial(rate: float, loss: float | None, **more) -> dict:
    cost = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_memory_gb": 0.1, "memory_kind": "-"}
    outcome = {"steps": 2, "best_step": 1, "tokens": 9, "validation_loss": loss, "log": []}
    return {"learning_rate": rate, "diverged": False, **outcome, "cost": cost, **more}


@pytest.mark.parametrize(
    ("trials", "rate", "edge"),
    [
        ([trial(0.1, 3.0)], 0.1, False),
        ([trial(0.1, 3.0), trial(0.2, 2.0), trial(0.3, 2.5)], 0.2, False),
        ([trial(0.1, 1.0), trial(0.2, 2.0), trial(0.3, 2.5)], 0.1, True),
        ([trial(0.1, 3.0), trial(0.2, 2.0), trial(0.3, 1.0)], 0.3, True),
        ([trial(0.1, 3.0), trial(0.2, 2.0), trial(0.3, None, diverged=True)], 0.2, False),
        ([trial(0.1, 2.0), trial(0.2, 2.0)], 0.1, True),
    ],
)
def test_the_lowest_validation_loss_is_chosen_and_an_edge_is_told(trials, rate, edge):
    record = lr_search.record_of(trials)
    assert (record["learning_rate"], record["lr_at_edge"]) == (rate, edge)


def test_a_killed_lr_search_goes_on_where_it_was(tmp_path):
    whole, expected = Searcher(tmp_path / "whole").search()
    cut = Searcher(tmp_path / "cut")
    first, second, _ = cut.folders
    attached = cut.fresh()
    lr_search.search(attached, cut.fresh, cut.fit, {first: cut.folders[first]})
    with pytest.raises(KeyboardInterrupt):
        trained.interrupt(cut.folders[second], 11, learning_rate=second)
    again = Searcher(tmp_path / "cut")
    attached, trials = again.search()
    assert [rate for rate, _ in again.fitted] == list(RATES[1:])
    for mine, theirs in zip(trials, expected, strict=True):
        assert {**mine, "cost": None} == {**theirs, "cost": None}
    assert weights(attached, tmp_path / "a") == weights(whole, tmp_path / "b")


def test_a_finished_lr_search_trains_nothing_again(tmp_path):
    attached, _ = Searcher(tmp_path / "x").search()
    again = Searcher(tmp_path / "x")
    repeated, _ = again.search()
    assert not again.fitted
    assert weights(repeated, tmp_path / "a") == weights(attached, tmp_path / "b")


def test_only_the_best_trial_keeps_weights(tmp_path):
    Searcher(tmp_path).search()
    kept = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.safetensors")]
    assert kept == ["0.02/best/trainable.safetensors"]


WILD = {"schedule": "constant", "max_grad_norm": 1e30, "epochs": 1}  # beside rates whose first step is infinite


def test_a_diverged_trial_is_recorded_and_not_chosen(tmp_path):
    attached, trials = Searcher(tmp_path, rates=(0.01, 1e38), **WILD).search()
    assert [trial["diverged"] for trial in trials] == [False, True]
    assert trials[1]["validation_loss"] is None
    assert 0 < trials[1]["tokens"] <= sum(len(row.ids) for row in trained.rows())
    assert trials[1]["steps"] in (2, 3, 5, 6)
    assert lr_search.record_of(trials)["learning_rate"] == 0.01
    assert all(value.isfinite().all() for value in attached.trainable().values())


@pytest.mark.parametrize("rates", [(1e38,), (1e38, 2e38)])
def test_a_lr_search_on_which_all_diverge_is_an_error(rates, tmp_path):
    with pytest.raises(ConfigError) as caught:
        Searcher(tmp_path, rates=rates, **WILD).search()
    assert str(caught.value).startswith("method 'lora': training diverged at ")
    assert ", ".join(f"{rate:g}" for rate in rates) in str(caught.value)


def test_nothing_to_train_has_a_trial_without_steps(tmp_path):
    for _ in range(2):
        _, trials = Searcher(tmp_path, "zero_shot", (0.001,)).search()
    record = lr_search.record_of(trials)
    assert (record["steps"], record["validation_loss"], record["lr_at_edge"]) == (0, None, False)


def test_the_base_is_untouched_by_a_lr_search(tmp_path):
    base = tiny.base("llama")
    before = base_model.checksum(base)
    Searcher(tmp_path, "full", epochs=1).search()
    assert base_model.checksum(base) == before


def test_without_tuning_the_lr_search_is_the_methods_own_rate():
    assert parse(Grid, "grid.yml", NAMES).lr_search.rates(0.002) == (0.002,)


def test_a_lr_search_goes_from_the_lowest_rate():
    lr_search = parse(Grid, "grid.yml", {**NAMES, "lr_search": {"factors": [1, 0.1, 10]}}).lr_search
    assert lr_search == LrSearchSpec(factors=(1.0, 0.1, 10.0))
    assert lr_search.rates(0.5) == (0.05, 0.5, 5.0)


@pytest.mark.parametrize(
    ("lr_search", "words"),
    [
        ({"factors": []}, "grid.yml, lr_search.factors: Value should have at least 1 item"),
        ({"factors": [0.0, 1.0]}, "grid.yml, lr_search.factors.0: Input should be greater than 0, got 0.0"),
        ({"factors": [1, 1.0]}, "grid.yml, lr_search: factors must be distinct, got 1 twice"),
        ({"factors": [float("inf")]}, "grid.yml, lr_search.factors.0: Input should be a finite number, got inf"),
        ({"factors": list(range(1, 22))}, "grid.yml, lr_search.factors: Value should have at most 20 items"),
        (
            {"factor": [1], "factors": [1]},
            "grid.yml, lr_search: unknown field 'factor', did you mean 'factors'? Allowed: factors",
        ),
        ({"factors": ["1e-3"]}, "grid.yml, lr_search.factors.0: Input should be a valid number, got '1e-3'"),
    ],
)
def test_a_wrong_lr_search_is_refused_in_one_line(lr_search, words):
    with pytest.raises(ConfigError) as caught:
        parse(Grid, "grid.yml", {**NAMES, "lr_search": lr_search})
    assert words in str(caught.value)
