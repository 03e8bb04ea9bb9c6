"""The tables of a measurement on a GPU, as Markdown."""

from collections.abc import Iterator
from typing import Any

STEP = {
    "ms a step": ("seconds_a_step", 1000, ".1f"),
    "tokens a second": ("tokens_a_second", 1, ",.0f"),
    "kernels a step": ("kernels_a_step", 1, ",.0f"),
    "waits a step": ("waits_a_step", 1, ".1f"),
    "peak GB": ("peak_gb", 1, ".2f"),
    "s before the first measured step": ("warm_seconds", 1, ".1f"),
}
SIDES = {"flex": "here, FlexAttention", "usual": "here, along paths", "plain": "Trainer and peft"}


def page(found: dict[str, Any]) -> str:
    """All figures, with the device and what was not measured."""
    lines = [f"# {found['device']}", "", f"{found['machine']}; {found['minutes']:.1f} minutes"]
    for name, figures in found["parts"].items():
        lines += ["", f"## {name}", "", *_part(name, figures, found["parts"].get(f"cell {name.split()[-1]}", {}))]
    return "\n".join(lines) + "\n"


def _part(name: str, figures: dict[str, Any], cell: dict[str, Any]) -> Iterator[str]:
    """The table of a part; ``cell`` is one cell of the same model alone."""
    if missing := [key for key in ("failed", "left out") if key in figures]:
        yield f"{missing[0]}: {' '.join(figures[missing[0]].split())[-300:]}"
    elif name.startswith("steps"):
        yield from _steps(figures)
    elif name.startswith("cell "):
        ours, plain = figures["kedro run"]["seconds"], figures["plain"]["seconds"]
        yield from ("| | s | ratio |", "|---|---:|---:|", f"| kedro run | {ours:.1f} | |")
        yield f"| Trainer, peft and generate | {plain:.1f} | {plain / ours:.2f} |"
    else:
        alone = f"; one alone {cell['kedro run']['seconds']:.1f} s" if "kedro run" in cell else ""
        each = f"{figures['seconds_a_cell']:.1f} s a cell, {figures['peak_gb']:.2f} GB"
        yield f"{figures['seconds']:.1f} s, {each}{alone}"


def _steps(figures: dict[str, Any]) -> Iterator[str]:
    """A row a side, each of ours with the plain one's time over its own."""
    yield f"| | {' | '.join(STEP)} | ratio |"
    yield f"|---|{'---:|' * (len(STEP) + 1)}"
    plain = figures["plain"]["seconds_a_step"]
    for side, title in SIDES.items():
        values = figures[side]
        if "refused" in values:
            yield f"| {title}: {values['refused']} |{' |' * (len(STEP) + 1)}"
            continue
        row = [f"{values[key] * factor:{form}}" for key, factor, form in STEP.values()]
        ratio = "" if side == "plain" else f"{plain / values['seconds_a_step']:.2f}"
        yield f"| {title} | {' | '.join(row)} | {ratio} |"
