"""What is said of a new task: its size, what is noteworthy, and prompts as a model sees them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from peft_pipelines.adding.made_task import MadeTask
from peft_pipelines.config import TaskSpec
from peft_pipelines.data.profile import EXAMPLES, UNLIMITED, truncated_share, with_loss_in_brackets
from peft_pipelines.data.row_facts import facts
from peft_pipelines.data.tokenize import Prompter, training_examples
from peft_pipelines.storage.splits import Splits

COUNTED: Final = 500
"""The training rows whose tokens are counted."""
_RULE: Final = "─" * 40


@dataclass(frozen=True)
class TaskReport:
    """What to know of a new task.

    Attributes:
        task: its name.
        rows: the number of rows to train, validate and test with.
        labels: by label word its number of rows; empty where the answers are text.
        notes: a sentence for each thing that is noteworthy.
        model: the name of the model in whose format the prompts are.
        prompts: some prompts of different answers, each with the answer; what a model learns to write stands in ⟦ ⟧.
    """

    task: str
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    notes: tuple[str, ...]
    model: str
    prompts: tuple[str, ...]

    def __str__(self) -> str:
        """The lines of it."""
        sizes = ", ".join(f"{count} to {what}" for what, count in self.rows.items())
        lines = [f"{self.task}: {sum(self.rows.values())} rows: {sizes}"]
        if self.labels:
            lines.append(f"labels: {', '.join(f'{word} ({count})' for word, count in self.labels.items())}")
        lines += [f"note: {note}" for note in self.notes]
        lines += ["", f"As {self.model} sees them; what it learns to answer stands in ⟦ ⟧:"]
        return "\n".join([*lines, *(f"{_RULE}\n{prompt}" for prompt in self.prompts), _RULE])


def report(made: MadeTask, model: str) -> TaskReport:
    """Return the report on a task, with prompts in the format of a model of this name."""
    adapted, prompts, task, prompter = made.adapted, made.prompts, made.task, made.prompter
    counts = Counter(item[0] for table in adapted.values() for item in table["references"].to_pylist())
    sizes = (table.num_rows for table in adapted.values())
    return TaskReport(
        task.name,
        dict(zip(("train", "validate", "test"), sizes, strict=True)),
        {word: counts[word] for word in task.label_words},
        (*facts(adapted, task), *_lengths(prompts, task, prompter)),
        model,
        tuple(with_loss_in_brackets(row, prompter) for row in training_examples(prompter, _chosen(prompts["train"]))),
    )


def _lengths(prompts: Splits, task: TaskSpec, prompter: Prompter) -> Iterator[str]:
    rows = prompts["train"].slice(0, COUNTED).to_pylist()
    whole = training_examples(replace(prompter, max_length=UNLIMITED), rows)
    share = truncated_share(whole, prompter.max_length, 0)
    if share:
        yield (
            f"{share:.0%} of the prompts and answers have more than {prompter.max_length} tokens and lose their "
            "middle; max_length in the task's row allows more"
        )
    if "\\n" in f"{task.instruction}{task.input}":
        yield "a \\n was given as these two characters, not as an end of line; bash has $'first line\\nsecond line'"


def _chosen(table: pa.Table) -> list[dict[str, object]]:
    """The first rows of different answers, and then others."""
    rows = table.slice(0, COUNTED).to_pylist()
    first = {row["references"][0]: number for number, row in reversed(list(enumerate(rows)))}
    order = sorted(first.values()) + [number for number in range(len(rows)) if number not in first.values()]
    return [rows[number] for number in order[:EXAMPLES]]
