"""What fetches from a hub leave on disk, by the real client libraries in a process of its own."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

FETCH = """
import json, sys
from pathlib import Path
from peft_pipelines.config import ModelSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.fetch import fetch_model, fetch_rows
for row, folder, lock in json.load(sys.stdin):
    fetch, spec = (fetch_model, ModelSpec) if "dtype" in row else (fetch_rows, TaskSpec)
    try:
        said = fetch(spec.model_validate(row), Path(folder), Path(lock))
    except ConfigError as error:
        said = str(error)
    print("said", json.dumps(said))
"""


@dataclasses.dataclass(frozen=True)
class Visit:
    """What fetches of one process left, by name, and what they said."""

    folder: Path
    said: Mapping[str, Any]

    @property
    def lock(self) -> dict[str, str]:
        """The pins of the lock file that they shared."""
        found: dict[str, str] = json.loads((self.folder / "lock.json").read_text())
        return found


def visit(
    folder: Path, sources: Mapping[str, dict[str, Any]], locks: Mapping[str, str] | None = None, **environment: str
) -> Visit:
    """Fetch each source into its folder. A process of its own, as the client libraries take the address at import.

    ``locks`` names the lock file of sources that have one of their own.
    """
    own = locks or {}
    steps = [(row, str(folder / name), str(folder / own.get(name, "lock.json"))) for name, row in sources.items()]
    quiet = {"HF_HOME": str(folder / "cache"), "HF_UPDATE_DOWNLOAD_COUNTS": "0", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FETCH],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **quiet, **environment},
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line.removeprefix("said ")) for line in done.stdout.splitlines() if line.startswith("said ")]
    return Visit(folder, dict(zip(sources, said, strict=True)))


def as_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())
