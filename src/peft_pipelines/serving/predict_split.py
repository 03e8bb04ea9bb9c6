"""Examples of a task's split answered by chosen decoding values: to try them, since scores have their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
from kedro.io import DataCatalog

from peft_pipelines.config.errors import unknown
from peft_pipelines.serving.loaded_cell import LoadedCell
from peft_pipelines.serving.loading import recorded_prompts
from peft_pipelines.serving.recorded_cell import RecordedCell
from peft_pipelines.serving.sampling_options import Sampling

SPLITS: Final = ("validation", "test")

Lines = list[dict[str, Any]]


def split_of(catalog: DataCatalog, recorded: RecordedCell, split: str, most: int | None) -> pa.Table:
    """Return the first examples of a split, with ``prompt`` and ``references``.

    Args:
        catalog: that of a session.
        recorded: the cell.
        split: ``validation`` or ``test``.
        most: how many; None for all.

    Raises:
        ConfigError: the split is unknown, or the cell was made with other prompts than those of the store.
    """
    if split not in SPLITS:
        raise unknown("split", "split", split, SPLITS)
    return recorded_prompts(catalog, recorded, "it was made with")[split].slice(0, most)


def answered_by(
    cell: LoadedCell,
    lines: Sequence[Mapping[str, Any]],
    max_new_tokens: int | None = None,
    sampling: Sampling | None = None,
    first: int = 0,
) -> Lines:
    """Return lines of a task's prompts with answers, as ``LoadedCell.answer`` has them, by chosen decoding values.

    Args:
        cell: the cell.
        lines: ``prompt``, and ``references`` where they are known.
        max_new_tokens: the most tokens of an answer; those of scoring unless given.
        sampling: how tokens are drawn; None for greedy answers. Likelihoods of labels do not depend on it.
        first: the number of lines before these, so that a seed draws alike however they are cut into parts.

    Raises:
        ConfigError: an answer of so many tokens does not fit behind a prompt.
    """
    if not lines:
        return []
    prompts = cell.answerer.encode(lines).prompts
    most = cell.answerer.decoding.max_new_tokens if max_new_tokens is None else max_new_tokens
    roomy = cell.with_room(most, max(map(len, prompts)))
    if sampling is None:
        return roomy.answer(lines)
    scored = cell.with_room(1, 0).answer(lines)  # for the likelihoods: its answers are of one token
    drawn = [cell.stream_tokens(prompt, most, sampling.nth(first + row)) for row, prompt in enumerate(prompts)]
    return [
        {**row, "prediction": "".join(answer), "new_tokens": answer.new_tokens, "stopped": answer.stopped}
        for row, answer in zip(scored, drawn, strict=True)
    ]
