"""The records of a ``.wandb`` file, which wandb itself reads in Go alone: a log in LevelDB's format of protobufs."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK, FULL, FIRST, LAST = 7, 32768, 1, 2, 4
"""Bytes before the first record, which are also those before each part of one; of a block; and the kinds of parts."""


def records(path: Path) -> list[Any]:
    """The records of a file, in order."""
    from wandb.proto.wandb_internal_pb2 import Record  # noqa: PLC0415  (an extra)

    return [Record.FromString(part) for part in _whole(path.read_bytes())]


def _whole(content: bytes) -> Iterator[bytes]:
    assert content.startswith(b":W&B")
    at, parts = HEADER, b""
    while at + HEADER <= len(content):
        left = BLOCK - at % BLOCK
        if left < HEADER:  # the rest of a block is filled up
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + HEADER])
        part = content[at + HEADER : at + HEADER + length]
        parts = part if kind in (FULL, FIRST) else parts + part
        if kind in (FULL, LAST):
            yield parts
        at += HEADER + length
