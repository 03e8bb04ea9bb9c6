"""Which rows have passed on which models: what has, is not tried again, and then no library of models is loaded."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from peft_pipelines.config import ModelSpec
from peft_pipelines.files.user_cache import worked_out
from peft_pipelines.files.versions import releases
from peft_pipelines.methods import identity
from peft_pipelines.models import device
from peft_pipelines.running.fingerprint import digest, folder_identity
from peft_pipelines.running.source import PACKAGE, code
from peft_pipelines.running.stages import ANY, DECIDING

if TYPE_CHECKING:
    from peft_pipelines.running.models_check import Attachment, Limit

SOUND: Final = "sound_models.json"
"""The file of the user's cache folder that keeps which rows have passed together."""


def check_models(
    models: Sequence[ModelSpec],
    folders: Mapping[str, Path],
    limits: "Sequence[Limit]",
    attached: "Sequence[Attachment]",
) -> None:
    """Try rows on models without weights, as ``models_check.try_models`` does.

    What has passed is not tried again on this machine until a row, a model's files, a method's, our code or a library
    changes.

    Raises:
        ConfigError: the first error that is found.
    """
    files = {model.name: folder_identity(folders[model.name], model.name) for model in models}
    methods = {method.name: identity.fingerprint(method) for method, _, _ in attached}
    key = digest([models, files, limits, attached, methods, _code(), releases(ANY.libraries), device.kind()])

    def tried() -> str:
        from peft_pipelines.running.models_check import try_models  # noqa: PLC0415  (loads torch)

        try_models(models, folders, limits, attached)
        return "sound"

    worked_out(SOUND, key, tried)


@cache
def _code() -> str:
    """A hash of our own code that tries them, the same while a process lasts."""
    return code(PACKAGE, DECIDING | {"running/room.py"}, starts=("running.models_check",))
