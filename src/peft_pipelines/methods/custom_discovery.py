"""Discovery of custom methods: a folder's ``config.py`` and ``model.py``, or an installed package.

Discovery in folders follows Algorithm 1 of the PEFT-Factory paper (Belanec et al. 2025), with one addition: only
classes that are *defined* in those files count, so an import of ``LoraConfig`` there is not taken for the method's own.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner

from peft_pipelines.config import NAME_PATTERN, MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.methods import custom_adapted, peft_files, peft_types
from peft_pipelines.methods.config_check import one_line
from peft_pipelines.methods.custom_folder import VARIABLE, methods_folder
from peft_pipelines.methods.custom_package import package_of

T = TypeVar("T")
FILES = ("config.py", "model.py")


@dataclass(frozen=True)
class Discovered:
    """The two classes of a method, and where they are from, for messages."""

    config: type[PeftConfig]
    tuner: type[BaseTuner]
    where: str


def names() -> list[str]:
    """Return the names of the custom methods: subfolders with a config.py and a model.py. Nothing is imported."""
    folders = methods_folder().glob("*")
    return sorted(path.name for path in folders if not _missing(path) and re.match(NAME_PATTERN, path.name))


def discover(name: str) -> Discovered:
    """Return the two classes of a method's folder.

    Names that its files use as ``PeftType.NAME``, and the folder's own in capitals, which PEFT-Factory adds, are added
    to the library's enumeration.

    Raises:
        ConfigError: there is no such folder, its name is not in snake_case, a file is missing or fails to import,
            defines no or several fitting classes, or the tuner has no ``prefix``.
    """
    folder = methods_folder() / name
    _check_folder(folder)
    package = _package(folder)
    peft_types.add({folder.name.upper(), *peft_types.used_in(folder)})
    config = _defined(_module(package, folder, "config"), PeftConfig, folder)
    tuner = _defined(_module(package, folder, "model"), BaseTuner, folder)
    if not getattr(tuner, "prefix", None):
        raise ConfigError(f"custom method folder '{folder}': {tuner.__name__} in model.py has no prefix")
    custom_adapted.accept_newer_arguments(package)
    return Discovered(config, tuner, f"custom method folder '{folder}'")


def discover_in_package(method: MethodSpec) -> Discovered:
    """Return the two classes of the method of ``method.type`` in the package that the row names, which is imported.

    They are what the package registers with ``peft`` under this type. Of a package that registers nothing, they are the
    one config class and the one tuner that its module shows.

    Raises:
        ConfigError: the package is not installed or fails to be imported, has no such method, or no tuner for it.
    """
    package, where = package_of(method), f"method '{method.name}', package '{method.package}'"
    if not re.match(peft_types.CAPITALS, method.type) or method.type in peft_types.own():
        raise ConfigError(
            f"{where}: type must be the method's name in PeftType, in capitals and none of peft's own, "
            f"got '{method.type}'"
        )
    peft_types.add({method.type, *peft_types.used_in(package.folder)})
    try:
        with peft_files.untouched():
            module = importlib.import_module(package.module)
    except Exception as error:  # an author's code may fail in any way; the message must name it
        raise ConfigError(f"{where}: {type(error).__name__}: {one_line(error)}") from error
    registered = peft_types.registered_by(package.module)
    if registered and method.type not in registered:
        raise unknown(where, "type", method.type, sorted(registered))
    config = registered.get(method.type) or _shown(module, PeftConfig, where)
    tuner = peft_types.tuner_of(method.type) if registered else _shown(module, BaseTuner, where)
    if tuner is None or not issubclass(tuner, BaseTuner):
        raise ConfigError(f"{where}: type {method.type} must have a tuner, a subclass of BaseTuner, and has none")
    custom_adapted.accept_newer_arguments(package.module)
    return Discovered(config, tuner, where)


def _shown(module: ModuleType, base: type[T], where: str) -> type[T]:
    """The only subclass among a module's attributes that the module's package defines itself."""
    found = _subclasses(module, base, lambda name: f"{name}.".startswith(f"{module.__name__}."))
    if len(found) != 1:
        names = ", ".join(value.__name__ for value in found) or "none"
        raise ConfigError(
            f"{where}: must register its methods with peft, or show one {base.__name__} subclass, got {names}"
        )
    return found[0]


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
    peft_types.forget(name)
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
    found = _subclasses(module, base, lambda name: name == module.__name__)
    if len(found) != 1:
        file = f"{module.__name__.rsplit('.', 1)[-1]}.py"
        count = ", ".join(value.__name__ for value in found) or "none"
        raise ConfigError(
            f"custom method folder '{folder}': {file} must define one {base.__name__} subclass, got {count}"
        )
    return found[0]


def _subclasses(module: ModuleType, base: type[T], is_own: Callable[[str], bool]) -> list[type[T]]:
    """The subclasses among a module's attributes, each once, by whether the name of their module is one of the own."""
    values = [value for value in vars(module).values() if isinstance(value, type) and is_own(value.__module__)]
    return [value for value in dict.fromkeys(values) if issubclass(value, base)]
