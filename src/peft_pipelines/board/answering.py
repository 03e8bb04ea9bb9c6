"""Answers of cells as events: the prompt as the model sees it, pieces by turns, and the scores of a split."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peft_pipelines.board.asked import Ask, Predict
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.serving.answer import Answer
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.predict_file import scores
from peft_pipelines.serving.predict_split import answered_by

Event = dict[str, Any]
Stopped = Callable[[], bool]

AT_ONCE: Final = 8
"""Rows of a prediction between two looks whether it is still wanted."""
SHOWN: Final = 20
"""Rows of a prediction that are shown."""
KEPT: Final = "\n\t"
"""Control characters that a page shows as they are."""


@dataclass
class _Talk:
    answer: Answer
    seconds: float = 0.0

    def piece(self) -> str | None:
        begun = time.perf_counter()
        found = next(self.answer, None)
        self.seconds += time.perf_counter() - begun
        return found


def answers(cells: Mapping[str, LoadedCell], asked: Ask, stopped: Stopped) -> Iterator[Event]:
    """Yield the answers of cells to a question, by turns a piece of each.

    Events are ``prompt`` (text, tokens, virtual tokens), ``piece`` (text), ``answered`` (new_tokens, seconds, stopped:
    whether the model has ended the answer) and ``failed`` (message), each with its ``cell``.

    Args:
        cells: by the names that they are asked for by.
        asked: the question.
        stopped: whether nobody wants the answers any more.
    """
    talks: dict[str, _Talk] = {}
    for name, cell in cells.items():
        try:
            talks[name] = _Talk(_begun(cell, name, asked))
        except ConfigError as error:
            yield {"event": "failed", "cell": name, "message": str(error)}
            continue
        prompt = talks[name].answer.prompt
        virtual = cell.answerer.method.virtual_tokens
        yield {
            "event": "prompt",
            "cell": name,
            "text": shown(cell.seen(prompt)),
            "tokens": len(prompt),
            "virtual": virtual,
        }
    while talks and not stopped():
        for name, talk in list(talks.items()):
            piece = talk.piece()
            if piece is not None:
                yield {"event": "piece", "cell": name, "text": shown(piece)}
                continue
            del talks[name]
            ended = {"new_tokens": talk.answer.new_tokens, "stopped": talk.answer.stopped}
            yield {"event": "answered", "cell": name, **ended, "seconds": round(talk.seconds, 3)}


def _begun(cell: LoadedCell, name: str, asked: Ask) -> Answer:
    most = asked.options.max_new_tokens
    limit: dict[str, Any] = {"sampling": asked.options.sampling()}
    limit |= {} if most is None else {"max_new_tokens": most}
    if asked.instruction:
        return cell.stream_answer(asked.text, **limit)
    return cell.stream(asked.turns(name), **limit)


def predictions(
    cell: LoadedCell, lines: Sequence[Any], asked: Predict, recorded: Sequence[Any], stopped: Stopped
) -> Iterator[Event]:
    """Yield how far the answers to rows are, and at the end what the task's metrics say of them.

    Events are ``step`` (done, total) and ``scores`` (rows by name with texts of ``chosen`` and ``recorded``, and some
    of the answers).

    Args:
        cell: the cell.
        lines: the rows' prompts with right answers.
        asked: how they are answered.
        recorded: the answers on record to the same rows; empty where there are none.
        stopped: whether nobody wants the answers any more; then the scores are of those that are there.
    """
    answered: list[dict[str, Any]] = []
    sampling = asked.options.sampling()
    for first in range(0, len(lines), AT_ONCE):
        if stopped():
            break
        part = lines[first : first + AT_ONCE]
        answered += answered_by(cell, part, asked.options.max_new_tokens, sampling, first)
        yield {"event": "step", "done": len(answered), "total": len(lines)}
    if answered:
        task = cell.recorded.task
        chosen, before = (scores(rows, task) if rows else {} for rows in (answered, list(recorded[: len(answered)])))
        table = [[name, text, before.get(name, "")] for name, text in chosen.items()]
        yield {"event": "scores", "table": table, "answers": [_row(row, cell) for row in answered[:SHOWN]]}


def _row(row: Mapping[str, Any], cell: LoadedCell) -> dict[str, Any]:
    return {
        "prompt": shown(cell.recorded.task.input_of(row["prompt"])),
        "right": [shown(text) for text in row["references"][:3]],
        "said": shown(row["prediction"]),
        "new_tokens": row["new_tokens"],
        "stopped": row["stopped"],
    }


def shown(text: str) -> str:
    """Return a text whose control characters are visible, but for the ends of lines."""
    return for_terminal(text, keep=KEPT)
