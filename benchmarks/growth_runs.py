"""The tables of `growth.py` that train the embedded model: by rows and by the length of prompts, a `kedro run` each."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from sides import MODEL, PROJECT, Cell, kedro_run, timed

Tables = Iterator[tuple[str, str, list[tuple[int, float]]]]
"""Titles, names of the unit, and sizes in units with their processor seconds."""


def cell_rows(raw: Path, sizes: Sequence[int] = (64, 128, 256)) -> Tables:
    """Training of a LoRA cell, answering of half as many test examples, and the whole run, by training rows."""
    runs = [(size, ran(Cell(raw, "sst2", size, size // 2, "question"))) for size in sizes]
    yield "training rows of sst2, trained on", "row", [(size, run["train"]) for size, run in runs]
    yield "test rows of sst2, answered", "row", [(size // 2, run["generate"]) for size, run in runs]
    yield "training rows of sst2, the whole run", "row", [(size, run["run"]) for size, run in runs]


def ran(cell: Cell, **training: object) -> dict[str, float]:
    """The processor seconds of a run of a cell: of its training, of its answers, of all."""
    with tempfile.TemporaryDirectory() as folder:
        cost = timed(kedro_run(Path(folder), cell, **training), shown=False)
        (metrics,) = Path(folder).glob("store/07_model_output/**/metrics.json")
        found = json.loads(metrics.read_text())
    return {"train": found["train_cpu_seconds"], "generate": found["generate_cpu_seconds"], "run": cost.cpu}


def prompt_length(raw: Path, sizes: Sequence[int] = (64, 256, 1_024)) -> Tables:
    """The tokens of 32 training and 16 test examples of sst2 whose sentences are repeated to a length."""
    from transformers import AutoTokenizer  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(PROJECT / "data/01_raw/models" / MODEL)
    runs = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            tokens = lengthened(raw / "sst2", Path(folder, "sst2"), size, tokenizer)
            runs.append((tokens, ran(Cell(Path(folder), "sst2", 32, 16, "question"), max_length=2 * size + 256)))
    yield "tokens of a sentence of sst2, 32 rows trained on", "token", [(size, run["train"]) for size, run in runs]
    yield "tokens of a sentence of sst2, 16 rows answered", "token", [(size, run["generate"]) for size, run in runs]


def lengthened(source: Path, target: Path, tokens: int, tokenizer) -> int:
    """Write the first 64 rows of each split with each sentence repeated up to so many tokens; return their number."""
    target.mkdir()
    for path in source.glob("*.parquet"):
        rows = parquet.read_table(path).slice(0, 64).to_pylist()
        for row in rows:
            ids = tokenizer(row["sentence"].strip() + ". ", add_special_tokens=False).input_ids
            row["sentence"] = tokenizer.decode((ids * (tokens // len(ids) + 1))[:tokens])
        parquet.write_table(pa.Table.from_pylist(rows), target / path.name)
    return tokens
