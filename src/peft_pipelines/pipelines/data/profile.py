"""What a reader should know of a task's rows before trusting a score on them: the data report."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from transformers import AutoTokenizer

from peft_pipelines import metrics, models
from peft_pipelines.io import Splits
from peft_pipelines.metrics.baselines import majority_answer
from peft_pipelines.prompting import Encoded, Prompter
from peft_pipelines.specs import ModelSpec, TaskSpec, TrainingSpec

NEAR = 0.9
"""Cosine of character 5-gram counts from which a test input counts as nearly a training input."""

Rows = list[dict[str, Any]]


def profile(
    adapted: Splits, prompts: Splits, task: TaskSpec, model: ModelSpec, protocol: TrainingSpec, weights: Path
) -> dict[str, Any]:
    """The data report of one task, with lengths in the tokens of one model.

    Counts per split: rows, label shares, tokens of prompt and answer, truncated rows, duplicates. Between training
    and test: inputs that are equal or nearly so. The scores of answering the majority and at random. Three rows as
    the model sees them, the part with loss in ⟦ ⟧.
    """
    folder = models.folder_of(model, weights)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    prompter = Prompter(tokenizer, model.chat_template, protocol.max_length)
    inputs = {name: [row["input"] for row in table.to_pylist()] for name, table in adapted.items()}
    rows = {name: table.to_pylist() for name, table in prompts.items()}
    encoded = {
        name: [prompter.encode(row["prompt"], row["references"][0]) for row in part] for name, part in rows.items()
    }
    return {
        "task": task.name,
        "tokens_of": model.name,
        "rows": {name: len(part) for name, part in rows.items()},
        "balance": {name: balance(part) for name, part in rows.items()} if task.labels else {},
        "prompt_tokens": {name: spread([len(row.prompt) for row in part]) for name, part in encoded.items()},
        "answer_tokens": {name: spread([len(row.answer) for row in part]) for name, part in encoded.items()},
        "truncated_share": {name: float(np.mean([row.truncated for row in part])) for name, part in encoded.items()},
        "duplicates": {name: len(part) - len(set(map(_key, part))) for name, part in inputs.items()},
        "test_in_train": overlap(inputs["train"], inputs["test"]),
        "validation_in_train": overlap(inputs["train"], inputs["validation"]),
        "majority": guesses(rows, task, [majority_answer([row["references"] for row in rows["train"]])]),
        "random": guesses(rows, task, task.label_words or [row["references"][0] for row in rows["train"]]),
        "examples": [marked(row, prompter) for row in encoded["train"][:3]],
    }


def balance(rows: Rows) -> dict[str, float]:
    """The share of each label.

    >>> balance([{"references": ["yes"]}, {"references": ["no"]}, {"references": ["yes"]}, {"references": ["yes"]}])
    {'no': 0.25, 'yes': 0.75}
    """
    counts = Counter(row["references"][0] for row in rows)
    return {label: counts[label] / len(rows) for label in sorted(counts)}


def spread(numbers: list[int]) -> dict[str, float]:
    """Median, 95th percentile and maximum.

    >>> spread([1, 2, 3])
    {'median': 2.0, 'p95': 2.9, 'max': 3.0}
    """
    values = np.asarray(numbers, dtype=float)
    return {
        "median": float(np.median(values)),
        "p95": round(float(np.percentile(values, 95)), 1),
        "max": values.max().item(),
    }


def overlap(known: list[str], asked: list[str]) -> dict[str, Any]:
    """How many of the asked inputs stand among the known ones, exactly or nearly, and up to three near pairs.

    >>> overlap(["The cat sat."], ["the  cat sat.", "A dog ran."])
    {'exact': 1, 'near': 0, 'pairs': []}
    """
    keys = set(map(_key, known))
    fresh = [text for text in asked if _key(text) not in keys]
    near = [(text, known[place]) for text, place, cosine in _nearest(known, fresh) if cosine >= NEAR]
    return {"exact": len(asked) - len(fresh), "near": len(near), "pairs": [list(pair) for pair in near[:3]]}


def _nearest(known: list[str], asked: list[str]) -> list[tuple[str, int, float]]:
    if not known or not asked:
        return []
    counter = HashingVectorizer(analyzer="char_wb", ngram_range=(5, 5), n_features=2**20, alternate_sign=False)
    likeness = (counter.transform(asked) @ counter.transform(known).T).tocsr()
    best = np.asarray(likeness.argmax(axis=1)).ravel()
    return [
        (text, int(place), float(likeness[row, place]))
        for row, (text, place) in enumerate(zip(asked, best, strict=True))
    ]


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def guesses(rows: dict[str, Rows], task: TaskSpec, answers: Any) -> dict[str, Any]:
    """The task's primary score of answers drawn at random (seeded) from a list, over the test rows."""
    draw = random.Random(0)
    test, choices = rows["test"], list(answers)
    predictions = [draw.choice(choices) for _ in test]
    scores = metrics.score(task.metrics, predictions, [row["references"] for row in test], task.label_words)
    return {"metric": task.primary, "score": scores[task.primary]}


def marked(row: Encoded, prompter: Prompter) -> str:
    """A row's text as the model sees it, the part that the loss covers in ⟦ ⟧."""
    decode = prompter.tokenizer.decode
    return f"{decode(row.prompt)}⟦{decode(row.answer)}⟧"


def data_report(**profiles: dict[str, Any]) -> str:
    """The profiles of all tasks as text: a table, then what a reader must know of single tasks."""
    header = [
        "task",
        "train",
        "validation",
        "test",
        "labels in test",
        "prompt tokens",
        "truncated",
        "test in train",
        "majority",
        "random",
    ]
    table = [header, *[_line(name, found) for name, found in profiles.items()]]
    widths = [max(len(line[column]) for line in table) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, "", *[note for name, found in profiles.items() for note in notes(name, found)]]) + "\n"


def _line(name: str, found: dict[str, Any]) -> list[str]:
    labels = found["balance"].get("test", {})
    tokens = found["prompt_tokens"]["test"]
    both = found["test_in_train"]
    return [
        name,
        *[str(found["rows"][split]) for split in ("train", "validation", "test")],
        f"{len(labels)}, largest {max(labels.values()):.0%}" if labels else "free text",
        f"{tokens['median']:.0f} (max {tokens['max']:.0f})",
        f"{found['truncated_share']['test']:.1%}",
        f"{both['exact']} exact, {both['near']} near",
        f"{100 * found['majority']['score']:.1f} {found['majority']['metric']}",
        f"{100 * found['random']['score']:.1f}",
    ]


def notes(name: str, found: dict[str, Any]) -> list[str]:
    """The findings that change how a score reads: leaks, duplicates, truncation, imbalance.

    >>> notes("x", {"test_in_train": {"exact": 2, "near": 0}, "rows": {"test": 10}, "duplicates": {},
    ...             "truncated_share": {"test": 0.0}, "balance": {}})
    ['x: 2 of 10 test inputs stand in the training rows']
    """
    leak = found["test_in_train"]["exact"] + found["test_in_train"]["near"]
    largest = max(found["balance"].get("test", {}).items(), key=lambda item: item[1], default=("", 0.0))
    doubled = {split: count for split, count in found["duplicates"].items() if count}
    cut = found["truncated_share"]["test"]
    findings = [
        (leak > 0, f"{leak} of {found['rows']['test']} test inputs stand in the training rows"),
        (bool(doubled), "repeated inputs: " + ", ".join(f"{count} in {split}" for split, count in doubled.items())),
        (cut > MANY_CUT, f"{cut:.1%} of the test prompts are cut"),
        (largest[1] > UNEVEN, f"{largest[1]:.0%} of the test rows are '{largest[0]}'"),
    ]
    return [f"{name}: {text}" for holds, text in findings if holds]


MANY_CUT, UNEVEN = 0.01, 0.6
