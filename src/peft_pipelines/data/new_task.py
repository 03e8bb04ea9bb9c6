"""A task's row made from raw rows: which label words there are, what is missing, and metrics that fit the answers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from peft_pipelines.config import TaskSpec, parse
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.label_keys import label_text
from peft_pipelines.config.label_words import differ_without_case
from peft_pipelines.config.split_names import Splits as SplitNames
from peft_pipelines.data.example import input_text, references_of
from peft_pipelines.data.row_facts import NUMBER
from peft_pipelines.data.values import text_in
from peft_pipelines.storage.splits import Splits

MOST_LABELS: Final = 50
"""Label words that a prompt can name."""
ROOM: Final = 8
"""Tokens of an answer, at least."""
MOST_TOKENS: Final = 256
_LISTED: Final = 5
_OF_LABELS: Final = ("accuracy", "macro_f1", "invalid_rate", "per_class")
_OF_NUMBERS: Final = ("number_accuracy", "exact_match")
_OF_TEXT: Final = ("rougeL", "token_f1", "exact_match")


@dataclass(frozen=True)
class Wanted:
    """What the user says of a new task.

    Attributes:
        name: the name of its row.
        input: the template of the input.
        label: the column of the labels; None where the answer is text.
        output: the template of the answer; None where it is a label.
        words: words for some values of the label column; the others are words themselves.
        instruction: what stands before each input; None for a sentence that names the label words.
        metrics: the metrics to put first.
        group: the template of what must stay on one side of a split; None for nothing.
    """

    name: str
    input: str
    label: str | None = None
    output: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    instruction: str | None = None
    metrics: Sequence[str] = ()
    group: str | None = None

    def __post_init__(self) -> None:
        if (self.label is None) == (self.output is None):
            raise ConfigError(
                "exactly one of --label and --output is needed: --label COLUMN where the answer is one of a few words, "
                "--output '{COLUMN}' where it is text"
            )
        if self.words and self.label is None:
            raise ConfigError("--word: needs --label, the column whose values get these words")


def row_of(wanted: Wanted, raw: Splits, place: str, splits: SplitNames) -> dict[str, Any]:
    """Return the fields of the task's row, but for ``max_new_tokens``, which is 1.

    Args:
        wanted: what the user says.
        raw: all rows, by raw split.
        place: the row's ``raw``.
        splits: the raw splits to use.

    Raises:
        ConfigError: there is no such column, or its values are no labels.
    """
    row: dict[str, Any] = {
        "type": "classification" if wanted.label else "text generation",
        "raw": place,
        "splits": splits.model_dump(exclude_none=True),
        "instruction": wanted.instruction,
        "input": wanted.input,
    }
    if wanted.label:
        labels = _labels(wanted, wanted.label, raw)
        row |= {"label": wanted.label, "labels": labels}
        row |= {"ignore_case": True} if differ_without_case(list(labels.values())) else {}
        default = f"Answer with one of these: {', '.join(labels.values())}."
    else:
        row["target"], default = wanted.output, "Answer the following."
    row["instruction"] = default if wanted.instruction is None else wanted.instruction
    row |= {} if wanted.group is None else {"group": wanted.group}
    row |= {"metrics": [*wanted.metrics], "max_new_tokens": 1, "licence": "internal", "citation": "none"}
    fitting = _OF_LABELS if wanted.label else _OF_TEXT
    row["metrics"] = list(dict.fromkeys([*wanted.metrics, *fitting]))
    if not wanted.label and all(map(NUMBER.fullmatch, answers_of(raw, spec_of(wanted.name, row)))):
        row["metrics"] = list(dict.fromkeys([*wanted.metrics, *_OF_NUMBERS]))
    return row


def spec_of(name: str, row: Mapping[str, Any]) -> TaskSpec:
    """Return a row as it is read; errors as for every row."""
    return parse(TaskSpec, f"task '{name}'", {**row, "name": name})


def _labels(wanted: Wanted, column: str, raw: Splits) -> dict[str, str]:
    """The word of each value of the label column, by the value's text."""
    found: Counter[str] = Counter()
    for place, row in rows_of(raw, wanted):
        if column not in row:
            raise unknown("--label", "column", column, row)
        value = "" if row[column] is None else _text(row, column, place)
        found[label_text(value)] += 1
    missing = found.pop("", 0)
    if missing:
        places = [place for place, row in rows_of(raw, wanted) if row[column] is None or not str(row[column]).strip()]
        raise _missing(f"column '{column}'", places)
    if len(found) > MOST_LABELS or len(found) * 2 > found.total() > 2:  # noqa: PLR2004  (a label of one row is none)
        raise ConfigError(
            f"--label: column '{column}' has {len(found)} different values in {found.total()} rows, too many for "
            f"labels; at most {MOST_LABELS}, each in two rows or more on average. For text: --output '{{{column}}}'"
        )
    words: dict[str, str] = {}
    for value, word in wanted.words.items():
        if label_text(value) not in found:
            raise unknown("--word", "value", value, sorted(found))
        if (known := words.setdefault(label_text(value), word)) != word:
            raise ConfigError(f"--word: gives '{label_text(value):.80}' two words, '{known:.80}' and '{word:.80}'")
    return {value: words.get(value, value) for value in sorted(found, key=_in_order)}


def _in_order(value: str) -> tuple[bool, float, str]:
    """Numbers by their size, before texts."""
    number = bool(NUMBER.fullmatch(value))
    return not number, float(value) if number else 0.0, value


def _text(row: Mapping[str, Any], column: str, place: str) -> str:
    try:
        return text_in(row, column)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None


def rows_of(raw: Splits, wanted: Wanted) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield all rows of all splits, each with its place."""
    for split, table in raw.items():
        for number, row in enumerate(table.to_pylist()):
            yield f"task '{wanted.name}', {split} row {number}", row


def answers_of(raw: Splits, task: TaskSpec) -> Iterator[str]:
    """Yield the right answers of all rows in which no column of the task is null."""
    for split, table in raw.items():
        for number, row in enumerate(table.to_pylist()):
            if all(row.get(column) is not None for column in task.columns()):
                yield references_of(row, task, f"{split} row {number}")[0]


def check_filled(raw: Splits, task: TaskSpec) -> None:
    """Raise ConfigError, with the number and the places of such rows, where a column is null, or input or answer blank.

    Args:
        raw: all rows, whose columns are known to be there.
        task: the row.
    """
    for column in task.columns():
        empty = [
            f"{split} row {number}"
            for split, table in raw.items()
            for number, value in enumerate(table[column].to_pylist())
            if value is None
        ]
        if empty:
            raise _missing(f"column '{column}'", empty)
    blank: dict[str, list[str]] = {"the input": [], "the answer": []}
    for split, table in raw.items():
        for number, row in enumerate(table.to_pylist()):
            place = f"{split} row {number}"
            if not input_text(row, task, place):
                blank["the input"].append(place)
            if not references_of(row, task, place)[0]:
                blank["the answer"].append(place)
    for what, places in blank.items():
        if places:
            raise _missing(what, places)


def _missing(what: str, places: Sequence[str]) -> ConfigError:
    shown = ", ".join(place.rpartition(", ")[2] for place in places[:_LISTED])
    more = f" and {len(places) - _LISTED} more" if len(places) > _LISTED else ""
    rows = "1 row" if len(places) == 1 else f"{len(places)} rows"
    return ConfigError(f"{what} holds nothing in {rows} ({shown}{more}; the first is 0): fill or remove them")
