"""Training a cell at each learning rate of its ladder: validation chooses, and what the search costs is told."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import energy, measure
from peft_pipelines.files.atomic import read_json, write_json
from peft_pipelines.methods.attached import Attached
from peft_pipelines.training.train import Outcome
from peft_pipelines.training.trainer import BEST, Diverged, put

RUNG = "rung.json"

Rung = dict[str, Any]
"""What came of one learning rate: ``learning_rate``, ``diverged``, the fields of ``Outcome``, ``cost``."""

Fit = Callable[[Attached, float, Path, str], Outcome]
"""Trains a method in place: at which learning rate, with its state in which folder, called what by progress."""


def climb(
    attached: Attached, fresh: Callable[[], Attached], fit: Fit, folders: Mapping[float, Path]
) -> tuple[Attached, list[Rung]]:
    """The method as trained at the learning rate with the lowest validation loss, and what came of each one.

    A rung that is complete in its folder is not trained again; of the complete ones the best keeps its weights there.

    Args:
        attached: the untrained method, which the first training takes.
        fresh: makes the same once more.
        fit: one training.
        folders: the state's folder by learning rate, in running order.

    Raises:
        ConfigError: training diverged at each learning rate.
    """
    live, held = attached, None
    rungs: list[Rung] = []
    for number, (rate, folder) in enumerate(folders.items(), 1):
        if not (folder / RUNG).is_file():
            live, held = (live if held is None else _replaced(live, fresh)), rate
            phase = "train" if len(folders) == 1 else f"train, learning rate {number} of {len(folders)}"
            write_json(folder / RUNG, _tried(fit, live, rate, folder, phase))
        rungs.append(read_json(folder / RUNG))
        _tidy(rungs, list(folders.values()))
    best = chosen(rungs)
    if best is None:
        raise _all_diverged(attached.method.name, list(folders))
    if held != best["learning_rate"]:
        live = live if held is None else _replaced(live, fresh)
        put(live, folders[best["learning_rate"]] / BEST)
    return live, rungs


def chosen(rungs: Sequence[Rung]) -> Rung | None:
    """The rung with the lowest validation loss, the first of equals; None where all diverged.

    >>> chosen([{"diverged": True}, {"diverged": False, "validation_loss": 0.5}])
    {'diverged': False, 'validation_loss': 0.5}
    """
    sound = [rung for rung in rungs if not rung["diverged"]]
    return min(sound, key=lambda rung: rung["validation_loss"] or 0.0, default=None)


def record_of(rungs: Sequence[Rung]) -> dict[str, Any]:
    """The record's fields: of the chosen training its outcome and cost (``train_``), of all the ladder and its cost.

    ``ladder_edge`` is true where the best learning rate is the lowest or the highest one: a better one may lie beyond.
    """
    best = chosen(rungs)
    assert best is not None, "climb refuses a ladder on which all diverged"
    rates = [rung["learning_rate"] for rung in rungs]
    return {
        **{name: best[name] for name in ("learning_rate", "steps", "best_step", "validation_loss", "log")},
        "train_tokens": best["tokens"],
        **{f"train_{name}": value for name, value in best["cost"].items()},
        "ladder": [_row(rung, best) for rung in rungs],
        "ladder_edge": len(rates) > 1 and best["learning_rate"] in (min(rates), max(rates)),
        "tuning_seconds": sum(rung["cost"]["seconds"] for rung in rungs),
        "tuning_cpu_seconds": sum(rung["cost"]["cpu_seconds"] for rung in rungs),
        "tuning_energy_wh": energy.total(rung["cost"].get("energy_wh") for rung in rungs),
    }


def _row(rung: Rung, best: Rung) -> dict[str, Any]:
    """A rung without its log."""
    told = ("learning_rate", "validation_loss", "diverged", "best_step", "steps", "tokens")
    cost = {name: rung["cost"][name] for name in ("seconds", "cpu_seconds")}
    return {**{name: rung[name] for name in told}, **cost, "chosen": rung is best}


def _replaced(live: Attached, fresh: Callable[[], Attached]) -> Attached:
    """A fresh one in place of one that was trained; two never live at once."""
    live.detach()
    return fresh()


def _tried(fit: Fit, attached: Attached, rate: float, folder: Path, phase: str) -> Rung:
    with measure.cost() as spent:
        try:
            outcome, diverged = fit(attached, rate, folder, phase), False
        except Diverged as fault:
            outcome, diverged = Outcome(fault.step, 0, fault.tokens, None, []), True
    return {"learning_rate": rate, "diverged": diverged, **asdict(outcome), "cost": spent}


def _tidy(rungs: Sequence[Rung], folders: Sequence[Path]) -> None:
    best = chosen(rungs)
    for rung, folder in zip(rungs, folders, strict=False):
        for state in folder.glob("checkpoint-*"):
            shutil.rmtree(state)
        if rung is not best:
            shutil.rmtree(folder / BEST, ignore_errors=True)


def _all_diverged(method: str, rates: Sequence[float]) -> ConfigError:
    where = "learning_rate" if len(rates) == 1 else "each learning_rate of"
    values = ", ".join(f"{rate:g}" for rate in rates)
    return ConfigError(f"method '{method}': training diverged at {where} {values}, choose a lower one")
