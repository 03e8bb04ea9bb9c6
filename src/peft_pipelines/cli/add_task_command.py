"""``kedro add-task``: a file of rows becomes a task in an environment of its own, which runs as it is."""

from pathlib import Path

import click
from kedro.utils import find_kedro_project

from peft_pipelines.cli.one_line import Command
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.screen import show

_COLUMNS = "A name in braces is a column."
_FILE = click.Path(path_type=Path)


@click.command("add-task", cls=Command)
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--input", "template", required=True, help=f"The text that a model is given. {_COLUMNS}")
@click.option("--label", help="The column with the right answer, where it is one of a few words.")
@click.option("--word", "words", metavar="VALUE=WORD", multiple=True, help="What to answer for a value of --label.")
@click.option("--output", help=f"The right answer, where it is text. {_COLUMNS}")
@click.option("--instruction", help="What stands before each input. By default it names the labels.")
@click.option("--metric", "metrics", multiple=True, help="The score; given again, further metrics (kedro metrics).")
@click.option("--group", help=f"Rows that give the same text are all trained on or all tested. {_COLUMNS}")
@click.option("--test", type=_FILE, help="A file of rows to test with.")
@click.option("--validation", type=_FILE, help="A file of rows to validate with.")
@click.option("--test-share", type=float, help="Without --test, the share of the rows to test with. Default: 0.2.")
@click.option("--sep", metavar="CHARACTER", help="What parts the cells of a CSV file, such as ';' or '\\t'.")
@click.option("--env", help="The environment to make, conf/ENV. Default: NAME.")
@click.option("--dry-run", is_flag=True, help="Print the files, and write none.")
def add_task(
    name: str,
    file: Path,
    template: str,
    label: str | None,
    words: tuple[str, ...],
    output: str | None,
    instruction: str | None,
    metrics: tuple[str, ...],
    group: str | None,
    test: Path | None,
    validation: Path | None,
    test_share: float | None,
    sep: str | None,
    env: str | None,
    dry_run: bool,
) -> None:
    """Make a task NAME of the rows in FILE (.csv, .jsonl, .parquet), ready to run.

    It looks at all rows, says what is noteworthy, shows three prompts as a model sees them, and writes the environment
    conf/NAME with the task's row and a grid. Nothing that exists is changed: results of the new grid go to a folder of
    their own. FILE may also be a folder with train.csv, test.csv and the like. Rows from outside the project, or of
    several files, are copied into data/01_raw/NAME.

    \b
    kedro add-task tickets tickets.csv --input "Ticket: {text}" --label team
    kedro add-task faq faq.jsonl --input "{question}" --output "{answer}" --metric rougeL
    kedro run --env=tickets
    """
    from peft_pipelines.adding.add_task import add_task as add  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.adding.new_rows import RowFiles  # noqa: PLC0415
    from peft_pipelines.data.new_task import Wanted  # noqa: PLC0415

    wanted = Wanted(name, template, label, output, _pairs(words), instruction, metrics, group)
    given = RowFiles(file, test, validation, test_share, {"\\t": "\t", "tab": "\t"}.get(sep or "", sep))
    added = add(find_kedro_project(Path.cwd()) or Path.cwd(), wanted, given, env, write=not dry_run)
    show(str(added.report))
    if dry_run:
        show("".join(f"\n--- {path}\n{text}" for path, text in added.files.items()), end="")
    else:
        show(f"\nWritten: {', '.join(added.files)}")
        show(f"What it takes: kedro plan --env={added.env}. To run it: kedro run --env={added.env}")
    for path in added.copied:
        show(f"{'To copy' if dry_run else 'Copied'}: {path}")


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    """The word of each value."""
    words: dict[str, str] = {}
    for text in given:
        value, equals, word = (part.strip() for part in text.partition("="))
        if not (value and equals and word):
            raise ConfigError(f"--word: must be VALUE=WORD, such as 0=negative, got '{text:.80}'")
        if value in words:
            raise ConfigError(f"--word: gives '{value:.80}' two words, '{words[value]:.80}' and '{word:.80}'")
        words[value] = word
    return words
