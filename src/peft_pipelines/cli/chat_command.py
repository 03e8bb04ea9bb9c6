"""``kedro chat``: questions to a cell in the terminal, or line by line from a pipe."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from peft_pipelines.cli import options
from peft_pipelines.cli.cell_options import of_cell, text_or_none
from peft_pipelines.cli.decoding_options import Decoding, with_decoding
from peft_pipelines.cli.one_line import Command
from peft_pipelines.cli.opened import opened
from peft_pipelines.cli.predict_command import INTERRUPTED
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files import names
from peft_pipelines.files.screen import show, show_line
from peft_pipelines.running import threads

if TYPE_CHECKING:
    from peft_pipelines.serving.loaded_cell import LoadedCell
    from peft_pipelines.serving.sampling_options import Sampling

ASK: Final = "> "


@click.command(cls=Command)
@click.option(
    "--beside",
    metavar="METHOD|CELL",
    callback=text_or_none,
    help="Another method, or cell, that answers as well; with --run by that run's version where it has one.",
)
@click.option(
    "--instruction/--no-instruction",
    default=True,
    help="Ask as the cell was trained, but without the task's `preprocess`: each line alone, behind the task's "
    "instruction. Without it, what is typed is a conversation that goes on.",
)
@with_decoding
@of_cell
@options.placed
def chat(
    cell: tuple[str, ...],
    beside: str | None,
    instruction: bool,
    decoding: Decoding,
    run_id: str | None,
    env: str | None,
    params: dict[str, Any],
) -> None:
    """Ask a cell questions, and see its answers as they are made.

    A line is a question; Ctrl-C and Ctrl-D end. With --beside each question is answered by a second method on the same
    base model, such as the untuned model. Questions may come from a pipe, one a line. Answers are greedy, as in the
    cell's scores, unless --temperature is given.

    \b
    kedro chat lora.smollm2_135m.sst2.s0 --beside zero_shot
    """
    from peft_pipelines.serving.beside import recorded_beside  # noqa: PLC0415  (heavy: only this command needs it)
    from peft_pipelines.serving.loading import loaded  # noqa: PLC0415
    from peft_pipelines.serving.recorded_cell import cell_of, recorded_cell  # noqa: PLC0415

    sampling = decoding.sampling()
    with opened(env, params) as (catalog, _), threads.limited():
        first = recorded_cell(catalog, cell_of(cell, catalog.load(names.PARAMETERS)), run_id)
        others = [] if beside is None else [recorded_beside(catalog, first, beside, run_id)]
        cells = [loaded(catalog, one) for one in (first, *others)]
        talks = [_Talk(one, instruction, decoding.max_new_tokens, sampling, _title(one, cells)) for one in cells]
        if sys.stdin.isatty():
            show_line(_greeting(cells[0], instruction))
        try:
            for question in _questions():
                for talk in talks:
                    talk.answer(question)
        except KeyboardInterrupt:
            show("")
            raise SystemExit(INTERRUPTED) from None


def _title(cell: "LoadedCell", cells: list["LoadedCell"]) -> str:
    """What stands before an answer where there are several."""
    if len(cells) == 1:
        return ""
    methods = [one.recorded.cell.method for one in cells]
    return f"{cell.id if len(set(methods)) == 1 else cell.recorded.cell.method}: "


def _greeting(cell: "LoadedCell", instruction: bool) -> str:
    shape = " ".join(cell.prompt("…").split())
    how = f"each line is asked as '{shape}'" if instruction else "the conversation goes on from line to line"
    return f"{cell.id}, checkpoint {cell.recorded.version}: {how}. Ctrl-D ends."


def _questions() -> Iterator[str]:
    """The lines that are typed or piped, blank ones passed over."""
    typed = sys.stdin.isatty()
    while True:
        try:
            line = input(ASK) if typed else next(sys.stdin)
        except (EOFError, StopIteration):
            if typed:
                show("")
            return
        except UnicodeDecodeError as error:
            raise ConfigError(f"standard input: must be UTF-8, got {error.object[error.start]:#04x}") from None
        if line.strip():
            yield line.strip()


class _Talk:
    """What one cell is asked and has answered."""

    def __init__(
        self, cell: "LoadedCell", instruction: bool, most: int | None, sampling: "Sampling | None", title: str
    ) -> None:
        self._cell, self._instruction, self._title = cell, instruction, title
        given = {"max_new_tokens": most, "sampling": sampling}
        self._limit: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self._messages: list[dict[str, str]] = []

    def answer(self, question: str) -> None:
        """Print the answer as it is made; a question that cannot be asked is told in a line, and the next may come."""
        messages = [*self._messages, {"role": "user", "content": question}]
        try:
            if self._instruction:
                pieces = self._cell.stream_answer(question, **self._limit)
            else:
                pieces = self._cell.stream(messages, **self._limit)
        except ConfigError as error:
            show_line(f"Error: {error}")
            return
        show(self._title, end="")
        said = []
        for piece in pieces:
            show(piece, end="")
            said.append(piece)
        show("")
        self._messages = [*messages, {"role": "assistant", "content": "".join(said)}]
