"""What decides, beside its row, how a method works: a library's release, or the hash of its own files.

It is asked for at the start of each run, so nothing here loads a library of tuning methods.
"""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.method import UNTUNED
from peft_pipelines.methods.custom_folder import methods_folder
from peft_pipelines.methods.custom_package import package_of
from peft_pipelines.methods.installed import OPTIONAL, is_installed


def fingerprint(method: MethodSpec) -> str:
    """Return what decides, beside the row, how the method works: the library's release or the hash of its files.

    Raises:
        ConfigError: the row's provider is unknown, or its library or package is not installed.
    """
    check_provider(method)
    return _IDENTITY[method.provider](method)


def check_provider(method: MethodSpec) -> None:
    """Raise ConfigError where the row's provider is unknown, or its library or package is not installed."""
    where = f"method '{method.name}'"
    if method.provider not in _IDENTITY:
        raise unknown(where, "provider", method.provider, _IDENTITY)
    if not is_installed(method.provider):
        needed, usable = OPTIONAL[method.provider], ", ".join(filter(is_installed, _IDENTITY))
        raise ConfigError(
            f"{where}: {needed} is not installed, which provider '{method.provider}' needs. Usable here: {usable}"
        )
    if method.package is not None:
        if method.provider != _WITH_PACKAGES:
            raise ConfigError(f"{where}: package is for provider '{_WITH_PACKAGES}' alone, got '{method.provider}'")
        package_of(method)


def _files(method: MethodSpec) -> str:
    """The hash of the folder's or package's files, the package's release, and peft's, which the tuner is built on."""
    digest = hashlib.sha256()
    package = package_of(method) if method.package else None
    folder = package.folder if package else methods_folder() / method.type
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    release = f"{package.name} {package.release}, " if package else ""
    return f"peft {version('peft')}, {release}files {digest.hexdigest()}"


_WITH_PACKAGES: Final = "custom"


_IDENTITY: Final[dict[str, Callable[[MethodSpec], str]]] = {
    "hf_peft": lambda method: f"peft {version('peft')}",
    "adapters": lambda method: f"adapters {version('adapters')}",
    _WITH_PACKAGES: _files,
    "weights": lambda method: method.type,  # nothing but the row decides
    UNTUNED: lambda method: method.type,
}
"""By provider, in the order of their names in messages."""
