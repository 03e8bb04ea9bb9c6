"""Discovery of custom methods: ``<folder>/<name>/{config,model}.py``, each with a subclass of the author's own.

Discovery follows Algorithm 1 of the PEFT-Factory paper (Belanec et al. 2025), with one addition: only classes that
are *defined* in those files count, so an import of ``LoraConfig`` there is not taken for the method's own.
"""

import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner

from peft_pipelines.config import NAME_PATTERN
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods.config_check import one_line
from peft_pipelines.methods.custom_folder import VARIABLE, methods_folder

T = TypeVar("T")
FILES = ("config.py", "model.py")


@dataclass(frozen=True)
class Discovered:
    """The two classes of a method's folder."""

    config: type[PeftConfig]
    tuner: type[BaseTuner]


def names() -> list[str]:
    """Return the names of the custom methods: subfolders with a config.py and a model.py. Nothing is imported."""
    folders = methods_folder().glob("*")
    return sorted(path.name for path in folders if not _missing(path) and re.match(NAME_PATTERN, path.name))


def discover(name: str) -> Discovered:
    """Return the two classes of a method.

    Raises:
        ConfigError: there is no such folder, its name is not in snake_case, a file is missing or fails to import,
            defines no or several fitting classes, or the tuner has no ``prefix``.
    """
    folder = methods_folder() / name
    _check_folder(folder)
    package = _package(folder)
    config = _defined(_module(package, folder, "config"), PeftConfig, folder)
    tuner = _defined(_module(package, folder, "model"), BaseTuner, folder)
    if not getattr(tuner, "prefix", None):
        raise ConfigError(f"custom method folder '{folder}': {tuner.__name__} in model.py has no prefix")
    return Discovered(config, tuner)


def _check_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise ConfigError(f"custom methods: {VARIABLE} must name a folder, got '{folder.parent}'")
    if not folder.is_dir():
        raise unknown(f"folder '{folder.parent}'", "custom method", folder.name, names())
    where = f"custom method folder '{folder}'"
    if not re.match(NAME_PATTERN, folder.name):
        raise ConfigError(
            f"{where}: its name must be lower-case letters, digits and underscores after a letter, got '{folder.name}'"
        )
    if _missing(folder):
        raise ConfigError(f"{where}: {' and '.join(FILES)} are needed, {' and '.join(_missing(folder))} is missing")


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if not (folder / name).is_file()]


def _package(folder: Path) -> str:
    """A package for the folder, so that an author's relative imports work."""
    name = f"peft_pipelines_methods.{folder.name}"
    for part in ("peft_pipelines_methods", name):
        sys.modules[part] = ModuleType(part)
    sys.modules[name].__path__ = [str(folder)]
    for stale in [loaded for loaded in sys.modules if loaded.startswith(f"{name}.")]:
        del sys.modules[stale]
    return name


def _module(package: str, folder: Path, part: str) -> ModuleType:
    if f"{package}.{part}" in sys.modules:
        return sys.modules[f"{package}.{part}"]
    spec = importlib.util.spec_from_file_location(f"{package}.{part}", folder / f"{part}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # an author's file may fail in any way; the message must name it
        raise ConfigError(
            f"custom method folder '{folder}': {part}.py: {type(error).__name__}: {one_line(error)}"
        ) from error
    return module


def _defined(module: ModuleType, base: type[T], folder: Path) -> type[T]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        file = f"{module.__name__.rsplit('.', 1)[-1]}.py"
        count = ", ".join(value.__name__ for value in found) or "none"
        raise ConfigError(
            f"custom method folder '{folder}': {file} must define one {base.__name__} subclass, got {count}"
        )
    return found[0]
