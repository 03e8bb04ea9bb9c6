"""A row tried on models without weights, as a run tries it, and the field that a refusal is about."""

import re
from threading import Lock
from typing import Final

from peft_pipelines.board.environment_rows import Rows
from peft_pipelines.board.method_subject import CONFIG, SECTIONS, Subject
from peft_pipelines.board.project import Project
from peft_pipelines.config import MethodSpec
from peft_pipelines.files import names

PLACE: Final = re.compile(
    r"method '[^']*'(?: on model type '[^']*')?(?:, (?P<section>config|training))?[:,] [`'\"]?(?P<word>\w+)"
)
NAMED: Final = re.compile(r": unknown (?P<what>[a-z][a-z ]*?)(?: in (?P<field>\w+))? '")
_lock = Lock()


def tried_on(project: Project, env: str, rows: Rows, method: MethodSpec) -> list[str]:
    """Try a row on each model of the grid whose files are here, and return their names.

    Raises:
        ConfigError: it cannot be attached to a model, or not be trained, in the words of a run.
    """
    from peft_pipelines.models import base_model  # noqa: PLC0415  (heavy: only a row that is written needs it)
    from peft_pipelines.models.folder import folder_of  # noqa: PLC0415
    from peft_pipelines.running.models_check import check_method, check_precision  # noqa: PLC0415

    place, done = str(project.loader(env)["catalog"][names.weights("{model}")]["filepath"]), []
    with _lock:
        for name in rows.grid.models:
            model = rows.parameters.models[name]
            folder = project.root / folder_of(model, project.root / place.format(model=name))
            if folder.is_dir() and any(folder.iterdir()):
                check_precision(method, model)
                check_method(method, base_model.skeleton(model, folder), rows.parameters.training)
                done.append(name)
    return done


def place_of(message: str, subject: Subject) -> str:
    """Return the field that a refusal is about, with its section; the config where it names none."""
    from peft_pipelines.methods.config_check import NAMING  # noqa: PLC0415

    found = PLACE.match(message)
    words = [found["word"]] if found else []
    if named := NAMED.search(message):
        words += [named["field"] or "", *(field for field, word in NAMING.items() if word == named["what"])]
    order = [found["section"]] if found and found["section"] else [CONFIG, *SECTIONS]
    for word in words:
        for section in order:
            if any(field.name == word and field.settable for field in subject.fields[section]):
                return f"{section}.{word}"
    return CONFIG
