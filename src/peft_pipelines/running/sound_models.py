"""Which rows have passed on which models: what has, is not tried again, and then no library of models is loaded."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from peft_pipelines.config import ModelSpec
from peft_pipelines.files.user_cache import worked_out
from peft_pipelines.files.versions import releases
from peft_pipelines.methods import identity
from peft_pipelines.models.enough_memory import Need
from peft_pipelines.running.fingerprint import digest, folder_identity
from peft_pipelines.running.source import PACKAGE, code
from peft_pipelines.running.stages import ANY, DECIDING

if TYPE_CHECKING:
    from peft_pipelines.running.models_check import Attachment, Limit

SOUND: Final = "sound_models.json"
"""The file of the user's cache folder that keeps which rows have passed together, and what they take of memory."""


def check_models(
    models: Sequence[ModelSpec],
    folders: Mapping[str, Path],
    limits: "Sequence[Limit]",
    attached: "Sequence[Attachment]",
) -> list[Need]:
    """Try rows on models without weights, as ``models_check.try_models`` does, and return what it returns.

    What has passed is not tried again on this machine until a row, a model's files, a method's, our code or a library
    changes. What it takes of memory is kept, not whether there is as much: another machine may share the cache folder.

    Raises:
        ConfigError: the first error that is found.
    """
    files = {model.name: folder_identity(folders[model.name], model.name) for model in models}
    methods = {method.name: identity.fingerprint(method) for method, _, _ in attached}
    key = digest([models, files, limits, attached, methods, _code(), releases(ANY.libraries)])

    def tried() -> str:
        from peft_pipelines.running.models_check import try_models  # noqa: PLC0415  (loads torch)

        return json.dumps(try_models(models, folders, limits, attached))

    return [Need(*need) for need in json.loads(worked_out(SOUND, key, tried))]


@cache
def _code() -> str:
    """A hash of our own code that tries them, the same while a process lasts."""
    return code(PACKAGE, DECIDING | {"running/room.py"}, starts=("running.models_check",))
