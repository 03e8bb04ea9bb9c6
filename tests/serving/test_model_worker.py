"""A job of the worker: what a client that is gone does to its answer."""

import asyncio
from typing import Any, cast

import pytest
from made_up_cells import MadeUpAnswer

from peft_pipelines.serving.model_worker import Job


@pytest.mark.parametrize("before", [True, False])
def test_a_cancel_is_not_lost_while_the_answer_begins(before: bool) -> None:
    answer: Any = MadeUpAnswer(iter("abc"))

    async def cancelled() -> None:
        job = Job(cast(Any, None), cast(Any, None))
        if before:
            job.cancel()
        else:
            answer.cancelled = True  # as by a ``cancel`` in the midst of ``begin``, which sees the answer already
        job.begin(answer)

    asyncio.run(cancelled())
    assert answer.cancelled
