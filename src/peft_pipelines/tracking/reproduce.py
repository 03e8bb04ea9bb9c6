"""Comparison of a run with its repetition, cell by cell: tensors, answers, and all numbers but measured costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peft_pipelines.files import names
from peft_pipelines.files.markdown import paragraph, render
from peft_pipelines.files.status import Status
from peft_pipelines.tracking.recorded_numbers import repeatable, same, written
from peft_pipelines.tracking.runs import Run

TENSORS = ".safetensors"
EQUAL, DIFFERENT, ABSENT = "equal", "DIFFERENT", "—"


@dataclass(frozen=True)
class Outcome:
    """A cell in a run and in its repetition. ``numbers`` holds by metric the old and the new value."""

    cell: str
    status: str
    tensors: str
    answers: str
    numbers: dict[str, tuple[Any, Any]]

    @property
    def differing(self) -> dict[str, tuple[Any, Any]]:
        """The numbers that differ, by metric."""
        return {name: pair for name, pair in self.numbers.items() if not same(*pair)}

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.status == EQUAL and DIFFERENT not in (self.tensors, self.answers) and not self.differing


def compare_cells(old: Run, new: Run, cells: Iterable[str]) -> list[Outcome]:
    """Compare cells of a run, given by their ids, with the same cells of its repetition."""
    return [
        _outcome(cell, old.cells[cell], new.cells.get(cell, {"status": Status.NOT_RUN, "artifacts": {}}))
        for cell in cells
    ]


def _outcome(cell: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Outcome:
    status = EQUAL if old["status"] == new["status"] else f"{old['status']} then, {new['status']} now"
    numbers = [repeatable(entry.get("numbers", {})) for entry in (old, new)]
    pairs = {name: (numbers[0].get(name), numbers[1].get(name)) for name in dict.fromkeys((*numbers[0], *numbers[1]))}
    return Outcome(
        cell, status, _same_files(old, new, names.CHECKPOINT), _same_files(old, new, names.PREDICTIONS), pairs
    )


def _same_files(old: Mapping[str, Any], new: Mapping[str, Any], kind: str) -> str:
    """Compare the hashes of an artifact; of a checkpoint only the tensors', since its record holds times."""
    then, now = (_hashes(entry, kind) for entry in (old, new))
    return ABSENT if not then and not now else EQUAL if then == now else DIFFERENT


def _hashes(entry: Mapping[str, Any], kind: str) -> dict[str, str]:
    files: dict[str, str] = entry["artifacts"].get(kind, {}).get("sha256", {})
    return {name: found for name, found in files.items() if kind != names.CHECKPOINT or name.endswith(TENSORS)}


def outcome_tables(outcomes: list[Outcome], *, every: bool = False) -> str:
    """Return two Markdown tables and a sentence: all cells, and the numbers that differ (or ``every`` number)."""
    differing = [one for one in outcomes if not one.equal]
    count = sum(len(one.numbers) for one in outcomes)
    cells = {
        "cell": [one.cell for one in outcomes],
        "tensors": [one.tensors for one in outcomes],
        "answers": [one.answers for one in outcomes],
        "numbers equal": [f"{len(one.numbers) - len(one.differing)} of {len(one.numbers)}" for one in outcomes],
        "status": [one.status for one in outcomes],
    }
    sentence = (
        f"{len(differing)} of {len(outcomes)} cells differ from the record."
        if differing
        else f"All {count} numbers of {len(outcomes)} cells are equal to the last bit. Costs are not compared."
    )
    parts = [render(cells), _numbers(outcomes, every), paragraph(sentence)]
    return "\n\n".join(part for part in parts if part)


def _numbers(outcomes: list[Outcome], every: bool) -> str:
    lines = [
        (one.cell, name, written(then), written(now), EQUAL if same(then, now) else DIFFERENT)
        for one in outcomes
        for name, (then, now) in one.numbers.items()
        if every or not same(then, now)
    ]
    columns = ("cell", "number", "then", "now", "")
    return (
        render({name: list(cells) for name, cells in zip(columns, zip(*lines, strict=True), strict=True)})
        if lines
        else ""
    )
