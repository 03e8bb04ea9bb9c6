"""The learning-rate search of a cell: one training a trial, chosen by validation loss, with its cost on record."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import energy, measure
from peft_pipelines.files import progress
from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.train import Outcome
from peft_pipelines.training.trainer import BEST, Diverged, put

TRIAL = "trial.json"

Trial = dict[str, Any]
"""The result of a trial: ``learning_rate``, ``diverged``, the fields of ``Outcome``, ``cost``."""

Fit = Callable[[Attached, float, Path, str], Outcome]
"""Trains a method in place. Arguments: the method, the learning rate, the folder of its state, the name of progress."""


def search(
    attached: Attached, fresh: Callable[[], Attached], fit: Fit, folders: Mapping[float, Path]
) -> tuple[Attached, list[Trial]]:
    """Return the method as trained at the learning rate with the lowest validation loss, and all trials.

    A trial that is complete in its folder is not trained again; of the complete ones the best keeps its weights there.

    Args:
        attached: the untrained method, trained in the first trial.
        fresh: makes the same untrained method again.
        fit: runs one training.
        folders: the state's folder by learning rate, in running order.

    Raises:
        ConfigError: training diverged at each learning rate.
    """
    live, held = attached, None
    trials: list[Trial] = []
    for number, (rate, folder) in enumerate(folders.items(), 1):
        phase = "train" if len(folders) == 1 else f"train, learning rate {number} of {len(folders)}"
        if not (folder / TRIAL).is_file():
            live, held = (live if held is None else _replaced(live, fresh)), rate
            write_json(folder / TRIAL, _tried(fit, live, rate, folder, phase))
        trials.append(read_json(folder / TRIAL))
        for entry in trials[-1]["log"]:  # one that was complete before this run is reported too
            progress.log(phase, entry)
        _tidy(trials, list(folders.values()))
    best = chosen(trials)
    if best is None:
        raise _all_diverged(attached.method.name, list(folders))
    if held != best["learning_rate"]:
        live = live if held is None else _replaced(live, fresh)
        put(live, folders[best["learning_rate"]] / BEST)
    return live, trials


def chosen(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the lowest validation loss, the first of equals; None where all diverged.

    >>> chosen([{"diverged": True}, {"diverged": False, "validation_loss": 0.5}])
    {'diverged': False, 'validation_loss': 0.5}
    """
    sound = [trial for trial in trials if not trial["diverged"]]
    return min(sound, key=lambda trial: trial["validation_loss"] or 0.0, default=None)


def record_of(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return fields of the cell's record: outcome and cost (``train_``) of the chosen training, trials and cost of all.

    ``lr_at_edge`` is true where the best learning rate is the lowest or the highest one: a better one may lie beyond.
    """
    best = chosen(trials)
    assert best is not None, "search raises where all diverged"
    rates = [trial["learning_rate"] for trial in trials]
    return {
        **{name: best[name] for name in ("learning_rate", "steps", "best_step", "validation_loss", "log")},
        "train_tokens": best["tokens"],
        **{f"train_{name}": value for name, value in best["cost"].items()},
        "lr_search": [_row(trial, best) for trial in trials],
        "lr_at_edge": len(rates) > 1 and best["learning_rate"] in (min(rates), max(rates)),
        "lr_search_seconds": sum(trial["cost"]["seconds"] for trial in trials),
        "lr_search_cpu_seconds": sum(trial["cost"]["cpu_seconds"] for trial in trials),
        "lr_search_energy_wh": energy.total(trial["cost"].get("energy_wh") for trial in trials),
    }


def _row(trial: Trial, best: Trial) -> dict[str, Any]:
    """A trial without its log."""
    kept = ("learning_rate", "validation_loss", "diverged", "best_step", "steps", "tokens")
    cost = {name: trial["cost"][name] for name in ("seconds", "cpu_seconds")}
    return {**{name: trial[name] for name in kept}, **cost, "chosen": trial is best}


def _replaced(live: Attached, fresh: Callable[[], Attached]) -> Attached:
    """Free a trained method, then make a fresh one: two are never in memory at once."""
    live.detach()
    return fresh()


def _tried(fit: Fit, attached: Attached, rate: float, folder: Path, phase: str) -> Trial:
    with measure.cost() as spent:
        try:
            outcome, diverged = fit(attached, rate, folder, phase), False
        except Diverged as error:
            outcome, diverged = Outcome(error.step, 0, error.tokens, None, []), True
    return {"learning_rate": rate, "diverged": diverged, **asdict(outcome), "cost": spent}


def _tidy(trials: Sequence[Trial], folders: Sequence[Path]) -> None:
    best = chosen(trials)
    for trial, folder in zip(trials, folders, strict=False):
        for state in folder.glob("checkpoint-*"):
            shutil.rmtree(state)
        if trial is not best:
            shutil.rmtree(folder / BEST, ignore_errors=True)


def _all_diverged(method: str, rates: Sequence[float]) -> ConfigError:
    where = "learning_rate" if len(rates) == 1 else "each learning_rate of"
    values = ", ".join(f"{rate:g}" for rate in rates)
    return ConfigError(f"method '{method}': training diverged at {where} {values}, choose a lower one")
