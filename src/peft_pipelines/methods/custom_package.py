"""Installed packages that bring custom methods: what is known of one before any of its code runs."""

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError

BUILT_ON = "peft"


@dataclass(frozen=True)
class Package:
    """An installed package: its name and release as they were published, its module and the module's folder."""

    name: str
    release: str
    module: str
    folder: Path


def package_of(method: MethodSpec) -> Package:
    """Return the package that a method's row names. None of its code runs.

    Raises:
        ConfigError: it is not installed, does not require ``peft``, or has no module of its name and not one alone.
    """
    name, where = method.package or "", f"method '{method.name}', package '{method.package}'"
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise ConfigError(f"{where}: is not installed; 'pip install {name}' does that, once you trust it") from None
    if BUILT_ON not in _required(found):
        raise ConfigError(f"{where}: must be built on {BUILT_ON}, and does not require it")
    module = _module(found, where)
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"{where}: its module '{module}' is not found; install it again")
    return Package(found.metadata["Name"], found.version, module, Path(spec.submodule_search_locations[0]))


def _required(found: Distribution) -> set[str]:
    """The names of the libraries that a package needs in any case, normalised."""
    lines = [line for line in found.requires or () if "extra ==" not in line]
    return {_normalised(match[0]) for line in lines if (match := re.match(r"[A-Za-z0-9._-]+", line))}


def _module(found: Distribution, where: str) -> str:
    """The module named as the package is, or the only one that it has."""
    listed = (found.read_text("top_level.txt") or "").split()
    files = [path.parts for path in found.files or () if path.name == "__init__.py"]
    modules = sorted({*listed, *(parts[0] for parts in files if len(parts) == 2)})  # noqa: PLR2004  (folder, file)
    same = [name for name in modules if _normalised(name) == _normalised(found.metadata["Name"])]
    if len(same or modules) != 1:
        raise ConfigError(
            f"{where}: must have a module of its name, or one module alone, got {', '.join(modules) or 'none'}"
        )
    return (same or modules)[0]


def _normalised(name: str) -> str:
    """A package's name as registries compare it (PEP 503).

    >>> _normalised("Peft_Extra.Methods")
    'peft-extra-methods'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
