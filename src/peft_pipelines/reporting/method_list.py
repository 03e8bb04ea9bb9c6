"""Lists of the methods to choose from, with their rows, and the table of methods and systems in the docs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

import yaml

from peft_pipelines.config.errors import unknown
from peft_pipelines.files.escape import Markdown, code
from peft_pipelines.files.markdown import WIDTH, paragraph, render
from peft_pipelines.methods.catalogue import Available
from peft_pipelines.methods.kinds import ConfigField

FACTS, TABLE = "docs/coverage.yml", "docs/coverage.md"
HAS, LACKS = "✓", "—"
OPEN = " (from the model, or the row gives it)"
"""What a default of None means where the class's own type has no None."""


def rows_of(kind: Available, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of the method rows that use a type."""
    return sorted(name for name, row in rows.items() if (row["provider"], row["type"]) == (kind.provider, kind.type))


def chosen(found: Sequence[Available], rows: Mapping[str, Mapping[str, Any]], wanted: str) -> list[Available]:
    """The types that a word means: a row's name, or a type's, whatever its case.

    Raises:
        ConfigError: no row and no type is called so.
    """
    if wanted in rows:
        row = rows[wanted]
        return [kind for kind in found if (kind.provider, kind.type) == (row["provider"], row["type"])]
    matching = [kind for kind in found if kind.type.lower() == wanted.lower()]
    if not matching:
        raise unknown("methods", "row or type", wanted, dict.fromkeys([*sorted(rows), *(kind.type for kind in found)]))
    return matching


def overview(found: Iterable[Available], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a type: its family, how many fields its config has, the rows that use it."""
    kinds = sorted(found, key=lambda kind: not rows_of(kind, rows))
    table = {
        "type": [kind.type for kind in kinds],
        "provider": [kind.provider for kind in kinds],
        "family": [_family(kind, rows) for kind in kinds],
        "fields": [str(len(kind.fields)) for kind in kinds],
        "rows": [_rows(kind, rows) for kind in kinds],
    }
    words = Markdown(
        "family: the rows' own; without a row by the classes: reparameterised is what merges into the base's "
        "weights. `kedro methods NAME` shows all fields of a row's type or of a type, and why one is refused."
    )
    return f"{render(table, words=True)}\n\n{paragraph(words)}"


def _family(kind: Available, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Family by the rows; without one by the library's classes."""
    named = dict.fromkeys(str(rows[name]["family"]) for name in rows_of(kind, rows))
    return ", ".join(named) or kind.family or LACKS


def _rows(kind: Available, rows: Mapping[str, Mapping[str, Any]]) -> str:
    names = ", ".join(rows_of(kind, rows))
    return names or ("refused" if kind.note else LACKS)


def detail(kind: Available, rows: Mapping[str, Mapping[str, Any]], name: str | None = None) -> str:
    """A type's fields: what each may be, the library's default, what rows give instead, and the library's full help.

    Args:
        kind: the type.
        rows: the method rows by name.
        name: the row whose values are shown; any other word for those of all rows of the type.
    """
    using = rows_of(kind, rows)
    shown = [name] if name in using else using
    head = f"{kind.type} ({kind.provider}), {_family(kind, rows)}; rows: {', '.join(using) or 'none'}"
    lines = [line for field in kind.fields for line in _lines(field, {each: rows[each]["config"] for each in shown})]
    return "\n".join([head, *([f"refused: {kind.note}"] if kind.note else []), *lines])


def _lines(field: ConfigField, configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A field with the values of rows, by the row's name, and its help."""
    default = "required" if field.required else f"default {field.default!r}{OPEN if field.open else ''}"
    given = [f"row {row} {config[field.name]!r}" for row, config in configs.items() if field.name in config]
    facts = f"{field.kind.words}, {default}"
    helped = fill(field.help, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    head = f"  {'; '.join([f'{field.name}: {facts}', *given])}"
    return [head, *([helped] if field.help else [])]


def as_json(found: Iterable[Available], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """All of it for a program: ``fields`` are all fields of a type's config, with what each may hold."""
    kinds = [
        {
            **{name: getattr(kind, name) for name in ("provider", "type", "family", "note")},
            "fields": [asdict(field) for field in kind.all_fields],
            "rows": rows_of(kind, rows),
        }
        for kind in found
    ]
    return json.dumps(kinds, indent=2, ensure_ascii=False)


def coverage(project: Path, rows: Mapping[str, Any], folders: bool) -> str:
    """The page of methods and systems: this project's column from its rows, the others from ``docs/coverage.yml``.

    Args:
        project: the project's folder.
        rows: the method rows by name.
        folders: whether drop-in methods are found, which is what extensibility means there.
    """
    facts = yaml.safe_load((project / FACTS).read_text(encoding="utf-8"))
    counted = [sum(name in rows for name in names.values()) for names in facts["families"].values()]
    counts = {"This project": counted, **facts["counts"]}
    parts = [
        "# Methods and systems",
        "Made by `kedro methods --coverage` from the rows in `conf/base/parameters/methods` and `docs/coverage.yml`.",
        render(_by_method(facts, rows), words=True),
        f"Drop-in methods (a folder of two files, no change of the system): this project {HAS if folders else LACKS}, "
        f"PEFT-Factory {HAS}, LLaMA-Factory {LACKS}.",
        "How many methods of each family a system has:",
        render(_by_family(facts, counts), words=True),
        paragraph(f"Source: {facts['source']}."),
    ]
    return "\n\n".join(parts) + "\n"


def _by_method(facts: Mapping[str, Any], rows: Mapping[str, Any]) -> dict[str, list[str]]:
    methods = [(family, label, row) for family, names in facts["families"].items() for label, row in names.items()]
    others = {
        system: [HAS if has == "all" or label in has else LACKS for _, label, _ in methods]
        for system, has in facts["systems"].items()
    }
    return {
        "method": [label for _, label, _ in methods],
        "family": [family for family, _, _ in methods],
        "this project": [Markdown(f"{HAS} {code(row)}") if row in rows else LACKS for _, _, row in methods],
        **others,
    }


def _by_family(facts: Mapping[str, Any], counts: Mapping[str, Sequence[int]]) -> dict[str, list[str]]:
    families = list(facts["families"])
    columns = {family: [str(numbers[place]) for numbers in counts.values()] for place, family in enumerate(families)}
    return {"system": list(counts), **columns}
