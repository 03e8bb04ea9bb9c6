"""Energy and CO₂ of a block of code: an estimate by codecarbon, offline, switched on by a row.

No result depends on the estimate: where it is switched off, not installed or fails, the number is missing and the
reason stands in its place. It uses no network, writes no file and asks for no rights.
"""

import importlib
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from threading import Thread
from typing import Any

from peft_pipelines.config import EnergySpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.user_cache import recall, remember

FIELDS = ("energy_wh", "co2_g", "energy_method")
"""Watt-hours, grams of CO₂ equivalent, and how both were estimated or why they were not."""
OFF, ABSENT = "not measured: switched off", "not measured: codecarbon is not installed"
COUNTRIES = "energy_countries.json"
"""The file of the user's cache folder that keeps which countries are known."""
MODES = {"cpu_load": "load of this process times TDP of", "constant": "half of a TDP of", "intel_rapl": "RAPL"}


_spec: EnergySpec | None = None
_warm_up: Thread | None = None


def configure(spec: EnergySpec | None) -> None:
    """Set the row for all later estimates of this process; None switches them off.

    Raises:
        ConfigError: the power mix of the country is not known.
    """
    global _spec  # noqa: PLW0603  (no input of a node: it decides no result, so it must make none stale)
    if spec and spec.enabled and find_spec("codecarbon"):
        _check(spec.country)
    _spec = spec


def warm() -> None:
    """Start the tracker in the background, once, where estimates are on: it takes a second to look at the machine."""
    global _warm_up  # noqa: PLW0603  (likewise)
    if _warm_up is None and _spec and why_missing() is None:
        _warm_up = Thread(target=_start_once, args=(_spec.country,), daemon=True)
        _warm_up.start()


def _start_once(country: str) -> None:
    with suppress(Exception):  # reported at the first estimate
        tracker = _tracker(country)
        tracker.start_task()
        tracker.stop_task()


def _check(country: str) -> None:
    """Raise ConfigError for a country whose power mix is not known; a known one is looked up once a machine."""
    key = f"{version('codecarbon')} {country}"
    if recall(COUNTRIES, key):
        return
    found = importlib.import_module("codecarbon.input").DataSource()
    with found.global_energy_mix_data_path.open(encoding="utf-8") as handle:
        known = list(json.load(handle))
    if country not in known:
        close = ", ".join(get_close_matches(country, known)) or "AUT, DEU, FRA, GBR, SVK, USA"
        raise ConfigError(f"energy, country: '{country}' is none of the {len(known)} known, such as {close}")
    remember(COUNTRIES, key, "known")


@contextmanager
def estimated() -> Iterator[dict[str, Any]]:
    """Fill a dict with ``FIELDS`` at the end of the block. Blocks must not be nested."""
    report: dict[str, Any] = {"energy_wh": None, "co2_g": None, "energy_method": why_missing()}
    tracker, error = _started() if report["energy_method"] is None else (None, None)
    try:
        yield report
    finally:
        if tracker:
            report.update(_stopped(tracker))
        elif error:
            report["energy_method"] = error


def total(parts: Iterable[float | None]) -> float | None:
    """Return the sum of estimates; None where one is missing.

    >>> total([0.5, 1.5]), total([0.5, None])
    (2.0, None)
    """
    numbers = list(parts)
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def why_missing() -> str | None:
    """Return the reason for the lack of an estimate; None where there is one."""
    if not _spec or not _spec.enabled:
        return OFF
    return None if find_spec("codecarbon") else ABSENT


def _started() -> tuple[Any, str | None]:
    assert _spec is not None
    if _warm_up:
        _warm_up.join()
    try:
        tracker = _tracker(_spec.country)
        tracker.start_task()
    except Exception as error:  # whatever goes wrong in an estimate must not cost a training
        return None, _failed(error)
    return tracker, None


def _stopped(tracker: Any) -> dict[str, Any]:
    try:
        task = tracker.stop_task()
        watt_hours, grams = 1e3 * task.energy_consumed, 1e3 * task.emissions
        return {"energy_wh": watt_hours, "co2_g": grams, "energy_method": _method(tracker)}
    except Exception as error:  # likewise
        return {"energy_method": _failed(error)}


def _failed(error: Exception) -> str:
    return f"not measured: {type(error).__name__}: {' '.join(str(error).split())}"


@cache
def _tracker(country: str) -> Any:
    """The tracker, one a process: making it takes about a second."""
    logging.getLogger("codecarbon").disabled = True
    tracker = importlib.import_module("codecarbon").OfflineEmissionsTracker
    return tracker(
        country_iso_code=country,
        tracking_mode="process",
        output_methods=[],
        allow_multiple_runs=True,
        **_own_gpu(),
        log_level="critical",
    )


def _own_gpu() -> dict[str, Any]:
    """The argument that leaves out the GPUs of the machine that this process does not compute on."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    return {"gpu_ids": [f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"]}


def _method(tracker: Any) -> str:
    """The method of the estimate in words, by the parts of the machine that the tracker watches."""
    parts = []
    for part in tracker._hardware:
        mode, kind = getattr(part, "_mode", ""), type(part).__name__
        watts = f" {part._tdp} W" if mode in ("cpu_load", "constant") else ""
        parts.append(f"{kind} by {MODES.get(mode, mode)}{watts}" if mode else f"{kind} by the library's own model")
    return f"estimate of codecarbon {version('codecarbon')}, {tracker._country_iso_code}: {'; '.join(parts)}"
