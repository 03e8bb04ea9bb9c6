"""The profiles of all tasks as one table, and in words what a reader must know of single ones."""

from collections.abc import Iterable
from typing import Any

from peft_pipelines.evaluation.metrics.registry import quantity
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.escape import for_markdown
from peft_pipelines.files.markdown import paragraph, render

UNEVEN, MANY_CUT = 0.6, 0.01

Profile = dict[str, Any]


def data_report(**profiles: Profile) -> tuple[list[dict[str, Any]], str]:
    """One row a task (for kedro-viz and for files), and the text that a run prints. Each task is an attempt."""
    rows: list[dict[str, Any]] = []
    findings: list[str] = []
    for name, found in profiles.items():
        with attempt(name):
            row, said = summary(found), notes(found)
            rows.append(row)
            findings += [for_markdown(f"{name}: {text}") for text in said]
    columns = {name: [str(row[name]) for row in rows] for name in (rows or [{}])[0]}
    tokens = next(iter(profiles.values()))["tokens_of"]
    caption = (
        f"Rows by split; tokens of {tokens}, before any cut; majority and random: the primary metric in percent"
        f"{_other_units(profiles.values())}."
    )
    return rows, "\n".join([render(columns), "", paragraph(caption), *([""] if findings else []), *findings]) + "\n"


def _other_units(profiles: Iterable[Profile]) -> str:
    """The metrics that are not in percent, with their units."""
    units = {found["metric"]: quantity(found["metric"]).unit for found in profiles}
    return "".join(f", {name} in the {unit.name}" for name, unit in units.items() if not unit.in_percent)


def summary(found: Profile) -> dict[str, Any]:
    """A task's line of the table."""
    unit = quantity(found["metric"]).unit
    labels, tokens, leak = found["balance"].get("test", {}), found["prompt_tokens"]["test"], found["in_train"]["test"]
    return {
        "task": found["task"],
        **{split: found["rows"][split] for split in ("train", "validation", "test")},
        "labels": f"{len(labels)}, {max(labels.values()):.0%}" if labels else "text",
        "tokens": f"{tokens['median']:.0f}, max {tokens['max']:.0f}",
        "cut": f"{found['truncated_share']['test']:.1%}",
        "test = train": leak["exact"],
        "≈ train": leak["near"],
        "metric": found["metric"],
        "majority": unit.text(found["majority"]),
        "random": "—" if found["random"] is None else unit.text(found["random"]),
    }


def notes(found: Profile) -> list[str]:
    """The findings that change how a score reads: leaks, repeated rows, cut prompts, imbalance.

    >>> notes({"in_train": {"test": {"exact": 2, "near": 0}}, "rows": {"test": 10}, "duplicates": {"test": 0},
    ...        "truncated_share": {"test": 0.0}, "left_out": 0, "balance": {}, "control_text": {"test": 0}})
    ['2 of 10 test inputs stand in the training examples']
    """
    leak, tests, cut = found["in_train"]["test"], found["rows"]["test"], found["truncated_share"]["test"]
    doubled = ", ".join(f"{count} in {split}" for split, count in found["duplicates"].items() if count)
    control = ", ".join(f"{count} in {split}" for split, count in found["control_text"].items() if count)
    label, share = max(found["balance"].get("test", {}).items(), key=lambda item: item[1], default=("", 0.0))
    findings = [
        (leak["exact"], f"{leak['exact']} of {tests} test inputs stand in the training examples"),
        (leak["near"], f"{leak['near']} of {tests} test inputs are nearly a training row (cosine of 5-grams ≥ 0.9)"),
        (doubled, f"repeated inputs: {doubled}"),
        (control, f"examples that hold the text of a control token, read as plain text: {control}"),
        (cut > MANY_CUT, f"{cut:.1%} of the test prompts lose their middle to max_length"),
        (found["left_out"], f"{found['left_out']} training examples left out, their answer does not fit max_length"),
        (share > UNEVEN, f"{share:.0%} of the test examples are '{label}'"),
    ]
    return [text for holds, text in findings if holds]
