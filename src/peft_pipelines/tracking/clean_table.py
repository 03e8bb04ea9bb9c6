"""What would be removed of a store, or was, by kind, with the bytes that go with it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from peft_pipelines.files.markdown import bullets, paragraph, render
from peft_pipelines.files.quantities import size
from peft_pipelines.tracking.clean import WORDS, Item
from peft_pipelines.tracking.clean_up import Cleaned, shown

SHOWN = 20
"""So many paths are shown, the largest; with ``--all`` every one."""


def would_remove(items: Sequence[Item], project: Path, *, every: bool) -> str:
    """Return what a clean-up would remove."""
    if not items:
        return "nothing to clean in this store"
    total = f"{_total(items)} would be removed; kedro clean --apply removes them, with the same options."
    return "\n\n".join([_listed(items, project, every), _table(items), paragraph(total)])


def has_removed(cleaned: Cleaned) -> str:
    """Return what a clean-up has removed and freed, and what it has spared."""
    spared = [f"{title} is left: {why}" for title, why in cleaned.spared.items()]
    parts = [_table(cleaned.removed)] if cleaned.removed else []
    freed = f"{_total(cleaned.removed)} removed." if cleaned.removed else "nothing was removed"
    return "\n\n".join([*parts, *([bullets(spared)] if spared else []), paragraph(freed)])


def _total(items: Sequence[Item]) -> str:
    return f"{len(items)} {'item' if len(items) == 1 else 'items'} of {size(sum(item.bytes for item in items))}"


def _table(items: Iterable[Item]) -> str:
    of_kind = {kind: [item for item in items if item.kind == kind] for kind in WORDS}
    there = [kind for kind, each in of_kind.items() if each]
    columns = {
        "kind": there,
        "items": [str(len(of_kind[kind])) for kind in there],
        "size": [size(sum(item.bytes for item in of_kind[kind])) for kind in there],
        "what": [WORDS[kind] for kind in there],
    }
    return render(columns)


def _listed(items: Sequence[Item], project: Path, every: bool) -> str:
    largest = sorted(items, key=lambda item: -item.bytes)[: len(items) if every else SHOWN]
    lines = [f"{item.kind}, {size(item.bytes)}: {shown(item.path, project)}" for item in items if item in largest]
    more = [f"and {len(items) - len(lines)} smaller ones, see --all"] if len(items) > len(lines) else []
    return bullets([*lines, *more])
