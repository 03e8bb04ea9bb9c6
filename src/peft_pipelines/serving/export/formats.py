"""The formats of an export, and the writing of one: as a whole, beside nothing that was there before."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import read_json, replacing, sweep_beside
from peft_pipelines.models import gate, merge
from peft_pipelines.models.folder import LICENCES, READ, SHARDS
from peft_pipelines.models.tokenizer_files import FAST
from peft_pipelines.serving.export.adapter_folder import ADAPTER, refuse_adapter, write_adapter
from peft_pipelines.serving.export.finished import Finished
from peft_pipelines.serving.export.gguf_file import refuse_config, write_file
from peft_pipelines.serving.export.gguf_tokens import splitting_of
from peft_pipelines.serving.export.ollama import MODELFILE, modelfile
from peft_pipelines.storage.hashes import CARD

Say = Callable[[str], None]
MERGED: Final = "merged"
GGUF: Final = "gguf"
WEIGHTS: Final = "model.gguf"
NOTICE: Final = "NOTICE.md"
_WRITTEN: Final = (*READ, SHARDS, "*.gguf", "adapter_config.json", "*_config.json", MODELFILE, CARD, *LICENCES)
"""Names of the files that exports write."""


@dataclass(frozen=True)
class Format:
    """A format of an export.

    Attributes:
        refuse: raises ConfigError for a cell that has none of it, as far as that is known before weights are read.
        write: writes a folder that is not there yet; returns the largest difference of a logit from the cell's.
    """

    refuse: Callable[[Finished], None]
    write: Callable[[Finished, Path, Say], float]


def refuse_merged(cell: Finished) -> None:
    """Raise ConfigError where no weight can hold what was trained."""
    method = cell.recorded.method
    if not method.trains:
        raise cell.cannot(MERGED, "nothing was trained: it is the base model as it is")
    if method.virtual_tokens:
        raise cell.cannot(MERGED, f"a soft prompt is no part of the weights; export it as '{ADAPTER}'")
    if method.provider == "adapters":
        raise cell.cannot(MERGED, f"a bottleneck has an activation inside, which no weight holds; use '{ADAPTER}'")


def write_merged(cell: Finished, folder: Path, say: Say) -> float:
    """Write base and method as one plain model; errors as for ``merge``."""
    return merge.merge(cell.base, cell.recorded.checkpoint, cell.weights, folder, say)


def refuse_gguf(cell: Finished) -> None:
    """Raise ConfigError where there is no merged model, or its architecture or tokenizer is not one that is written."""
    refuse_merged(cell)
    source = gate.opened(cell.recorded.model, cell.weights)
    refuse_config(source.config, _where(cell))
    splitting_of(read_json(source.files[FAST]), _where(cell))


def write_gguf(cell: Finished, folder: Path, say: Say) -> float:
    """Write the merged model as a GGUF file, and Ollama's Modelfile beside it where its chat template can be said so.

    Raises:
        ConfigError: as for ``merge``, or the model or its tokenizer is not one that is written.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        difference = write_merged(cell, Path(scratch) / "merged", say)
        folder.mkdir()
        say("writing the GGUF file, and comparing its tensors with the merged model's")
        facts = {
            "name": f"{cell.recorded.cell.method} on {cell.recorded.model.name} for {cell.recorded.task.name}",
            "license": cell.recorded.model.licence,
            "base_model": cell.base_name,
        }
        write_file(Path(scratch) / "merged", folder / WEIGHTS, facts, _where(cell))
    try:
        (folder / MODELFILE).write_text(modelfile(cell, WEIGHTS), encoding="utf-8")
    except ConfigError as error:
        say(f"no {MODELFILE} is written: {error}")
    return difference


def _where(cell: Finished) -> str:
    return f"cell '{cell.recorded.cell.id}': cannot be exported as '{GGUF}'"


CONTENTS: Final[dict[str, Format]] = {
    ADAPTER: Format(refuse_adapter, write_adapter),
    MERGED: Format(refuse_merged, write_merged),
    GGUF: Format(refuse_gguf, write_gguf),
}
"""The formats of what was trained, by name."""


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise ConfigError for an output that is there, unless it is an export that may be replaced."""
    if not output.exists() and not output.is_symlink():
        return
    if not overwrite:
        raise ConfigError(f"--output: must not exist yet, got '{output}'; --overwrite replaces an export")
    if output.is_symlink() or not output.is_dir():
        raise ConfigError(f"--output: must be a folder, got '{output}', which is a {_kind(output)}")
    for path in sorted(output.iterdir()):
        if path.is_symlink() or not path.is_file() or not any(fnmatchcase(path.name, name) for name in _WRITTEN):
            raise ConfigError(f"--output: '{output}' is no export: it holds '{path.name}'; choose another folder")


def _kind(path: Path) -> str:
    return "link" if path.is_symlink() else "file"


def _check_apart(cell: Finished, output: Path) -> None:
    """Raise ConfigError for an output that is, holds or lies in the cell's base model or checkpoint."""
    written = output.resolve()
    for what, folder in (("base model", cell.weights), ("checkpoint", cell.recorded.checkpoint.folder)):
        read = folder.resolve()
        if written.is_relative_to(read) or read.is_relative_to(written):
            raise ConfigError(f"--output: must lie apart from the cell's {what} '{folder}', got '{output}'")


def export(cell: Finished, form: Format, output: Path, say: Say, *, overwrite: bool) -> float:
    """Write a folder in one of the formats; it appears when everything in it is right.

    Returns:
        The largest difference of a logit from the cell's.

    Raises:
        ConfigError: the output is there, or is where the cell's own files are, or the cell cannot be exported so.
    """
    form.refuse(cell)
    path = Path(os.path.abspath(output))
    sweep_beside(path)
    check_output(output, overwrite=overwrite)
    _check_apart(cell, output)
    with replacing(path) as folder:
        return form.write(cell, folder, say)
