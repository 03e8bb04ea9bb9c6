"""Responses of the endpoint as JSON: chat completions, their chunks, and the list of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from peft_pipelines.serving.loaded_cell import LoadedCell


@dataclass(frozen=True)
class Ended:
    """An answer that is complete.

    Attributes:
        prompt_tokens: the number of the prompt's tokens.
        new_tokens: that of the answer's, the stop token included.
        finish_reason: ``stop``, or ``length`` where the most tokens have cut it off.
    """

    prompt_tokens: int
    new_tokens: int
    finish_reason: str

    def usage(self) -> dict[str, int]:
        """Return the numbers of tokens."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.new_tokens,
            "total_tokens": self.prompt_tokens + self.new_tokens,
        }


@dataclass(frozen=True)
class Reply:
    """The answer of a cell to one request.

    Attributes:
        cell: the cell.
        id: a name of its own.
        created: when it was asked for, in seconds since 1970.
    """

    cell: LoadedCell
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    created: int = field(default_factory=lambda: int(datetime.now(UTC).timestamp()))

    def whole(self, text: str, ended: Ended) -> dict[str, Any]:
        """Return a completion."""
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": ended.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": ended.usage()}

    def chunk(self, delta: Mapping[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        """Return a part of a completion."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def usage(self, ended: Ended) -> dict[str, Any]:
        """Return the part that holds the numbers of tokens."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": ended.usage()}

    def _head(self, kind: str) -> dict[str, Any]:
        """What all parts have; the fingerprint is the version of the checkpoint."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.cell.id,
            "system_fingerprint": self.cell.recorded.version,
        }


def model_entry(cell: LoadedCell) -> dict[str, Any]:
    """Return a cell as a model of the list; it was created when the run began that trained it."""
    began = datetime.strptime(cell.recorded.version, "%Y-%m-%dT%H.%M.%S.%f%z")
    return {"id": cell.id, "object": "model", "created": int(began.timestamp()), "owned_by": "peft_pipelines"}
