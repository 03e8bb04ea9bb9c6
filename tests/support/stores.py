"""What two stores have in common: the names of their files, and all in them that no clock decides."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from deaths import settled

CLOCKED = re.compile(
    r"seconds|energy|co2|memory|pscp|^(Costs|finished|started|ended|dropped|run_id)$|^(record|generation|metrics)\.json$"
)
"""Names of what depends on the clock and the load of the machine, and of files that hold such beside their hashes."""
RESULTS = "08_reporting/results.parquet"
HISTORY = ("08_reporting/runs/RUN", f"{RESULTS}/RUN")
"""What each run that came so far keeps for itself."""
COMPARED = {".safetensors", ".jsonl", ".parquet", ".json", ".csv"}
LEFT_OUT = ("checked.json", "costs.json")
QUICKEST = re.compile(r",? and (\w+ )?is quickest to train \([\d,]+ s a cell\)| in [\d,]+ s a cell")
"""What the summary says of seconds."""


def tree(store: Path) -> Counter[str]:
    """How often each name is there; a run's history once, however many runs there were."""
    found = Counter(settled(path.relative_to(store).as_posix()) for path in store.rglob("*"))
    found["version without results"] = sum(not list(path.glob("*.parquet")) for path in store.glob(f"{RESULTS}/*"))
    return Counter({name: 1 if name.startswith(HISTORY) else count for name, count in found.items()})


def contents(store: Path) -> dict[str, Any]:
    """All that two stores of the same grid share, by name; of several versions of the results the newest."""
    files = [path for path in sorted(store.rglob("*")) if path.is_file() and path.suffix in COMPARED]
    named = {settled(path.relative_to(store).as_posix()): path for path in files if path.name not in LEFT_OUT}
    return {name: _content(path) for name, path in named.items() if not name.startswith("08_reporting/runs/RUN")}


def _content(path: Path) -> Any:
    if path.suffix == ".json":
        return unclocked(json.loads(path.read_text()))
    if path.name in ("results.csv", "results.parquet"):
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        return unclocked(json.loads(frame.to_json(orient="records")))
    return path.read_bytes()


def unclocked(value: Any) -> Any:
    """A value without what the clock decides."""
    if isinstance(value, dict):
        return {key: unclocked(inner) for key, inner in value.items() if not CLOCKED.search(key)}
    if isinstance(value, list):
        return [unclocked(inner) for inner in value]
    return QUICKEST.sub("", settled(value)) if isinstance(value, str) else value
