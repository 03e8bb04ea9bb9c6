"""Details of the cells, compressed for the page."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from peft_pipelines.files.attempts import attempt


def packed(details: Mapping[str, Mapping[str, Any]]) -> str:
    """The details of all cells as text of letters, digits, ``+``, ``/`` and ``=``: nothing in it can end an element.

    Beneath is JSON with ``cells`` and ``shared``. Methods are asked the same questions, and cells share most of their
    configuration: such values stand once in ``shared``, and their place there in the cells.
    """
    shared: dict[str, int] = {}
    cells: dict[str, Any] = {}
    for cell, detail in details.items():
        with attempt(f"details of {cell}"):
            cells[cell] = _cell(detail, shared)
    whole = {"cells": cells, "shared": [json.loads(text) for text in shared]}
    return squeezed(whole)


def squeezed(value: Any) -> str:
    """A value as JSON, compressed, as letters that can end no element."""
    plain = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return base64.b64encode(gzip.compress(plain, mtime=0)).decode("ascii")


def unpacked(text: str) -> dict[str, Any]:
    """Details from ``packed``'s text, put together as the page's script does it.

    >>> cell = {"config": {"seed": 1}, "predictions": [{"prompt": "p", "references": ["a"], "prediction": "b"}]}
    >>> unpacked(packed({"one": cell})) == {"one": cell}
    True
    """
    whole = json.loads(gzip.decompress(base64.b64decode(text)))
    shared = whole["shared"]
    return {
        cell: {
            **detail,
            "config": {name: shared[place] for name, place in detail["config"].items()},
            "predictions": [
                {**row, "prompt": shared[row["prompt"]], "references": shared[row["references"]]}
                for row in detail["predictions"]
            ],
        }
        for cell, detail in whole["cells"].items()
    }


def _cell(detail: Mapping[str, Any], shared: dict[str, int]) -> dict[str, Any]:
    def place(value: Any) -> int:
        return shared.setdefault(json.dumps(value, ensure_ascii=False, allow_nan=False), len(shared))

    return {
        **detail,
        "config": {name: place(value) for name, value in detail["config"].items()},
        "predictions": [
            {**row, "prompt": place(row["prompt"]), "references": place(row["references"])}
            for row in detail["predictions"]
        ],
    }
