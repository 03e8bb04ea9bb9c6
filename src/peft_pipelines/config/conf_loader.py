"""The one entry of YAML: Kedro's loader behind a strict reading of every file, with each fault in one line."""

import mimetypes
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any, Final, cast

from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from peft_pipelines.config import conf_check
from peft_pipelines.config.conf_files import JSON, SUFFIXES, check_name, matches, paths_of, read_bytes
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.own_rows import with_own_rows
from peft_pipelines.config.params_check import check_globals, check_params, check_parts
from peft_pipelines.config.soft_merge import soft_merge
from peft_pipelines.config.strict_yaml import LONGEST, Document, parse

LOCAL: Final = "file"
STORE: Final = "store"
"""The key of globals.yml that names the folder for what a run makes."""
RESOLVING: Final = RLock()
"""What OmegaConf resolves ``globals`` and ``runtime_params`` by is the process's: one loader at a time has it."""
ARCHIVES: Final = ("application/zip", "application/x-zip-compressed", "application/zip-compressed", "application/x-tar")


class ConfLoader(OmegaConfigLoader):
    """Reads ``conf/base`` and the environment's folder; what either holds is checked before anything is used.

    Raises:
        ConfigError: at the first reading, for what is wrong with a folder, a file, a name or a value.
    """

    _documents: dict[str, dict[Path, Document]] | None = None
    _globals: dict[str, Any] = {}  # noqa: RUF012  (Kedro sets it once globals.yml is read, which may ask for it)

    def __init__(self, conf_source: str | Path, **options: Any) -> None:
        source = _checked_source(conf_source)
        with RESOLVING:
            super().__init__(source, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a kind, such as "parameters".

        Raises:
            ConfigError: a file, a key or an interpolation is not as it must be.
            MissingConfigException: no file of this kind is there.
        """
        with RESOLVING:
            self._register_globals_resolver()  # that of the last loader that was made stands there
            return self._resolved(key)

    def _resolved(self, key: str) -> dict[str, Any]:
        if self._documents is None:
            self._documents = self._read_folders()
            self._check_values()
        found = super().__getitem__(key)
        if key == "parameters":
            check_parts(self.documents(key))  # behind what cannot be resolved, which is told first
        if key == "catalog" and any(self.documents("parameters")):
            return with_own_rows(found, self["parameters"].get("tasks"))
        return self._with_store(found) if key == "globals" else found

    def documents(self, key: str) -> Iterator[Document]:
        """Yield the files of a kind, the base's before the environment's."""
        for folder in self._folders():
            yield from self._of_kind(folder, self.config_patterns[key]).values()

    def _with_store(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values of globals.yml; an environment that names no store has one of its name inside the base's.

        The base and the default environment share one.
        """
        *_, folder = self._folders()
        named = any(STORE in document.values for document in self._of_kind(folder, ["globals.yml"]).values())
        if STORE not in values or named or folder in (self.base_env, self.default_run_env):
            return values
        return {**values, STORE: f"{values[STORE]}/{folder}"}

    def _folders(self) -> list[str]:
        return list(dict.fromkeys((self.base_env, self.env or self.default_run_env)))

    def _read_folders(self) -> dict[str, dict[Path, Document]]:
        root = Path(self._get_conf_env_path(""))
        self._check_environment(root)
        return {folder: dict(self._read_folder(folder)) for folder in self._folders()}

    def _check_values(self) -> None:
        rows, catalog = list(self.documents("parameters")), list(self.documents("catalog"))
        check_params(self.runtime_params or {}, rows, catalog)
        check_globals(catalog, list(self.documents("globals")))

    def _check_environment(self, root: Path) -> None:
        """Raise ConfigError for an environment without a folder. The default one needs none: it may change nothing."""
        found = {Path(each).name: self._fs.isdir(each) for each in self._fs.ls(root.as_posix(), detail=False)}
        known = [name for name, is_folder in ({self.default_run_env: True} | found).items() if is_folder]
        for folder in self._folders():
            if folder not in known:
                shown = sorted(name for name in known if not name.startswith((".", "__")))
                raise unknown("--env", "environment", folder, shown)

    def _read_folder(self, name: str) -> Iterator[tuple[Path, Document]]:
        folder = Path(self._get_conf_env_path(name))
        if not self._fs.isdir(folder.as_posix()):
            return
        local = self._protocol == LOCAL
        for path in paths_of(folder, _shown(folder, folder)) if local else map(Path, self._fs.find(folder.as_posix())):
            relative = path.relative_to(folder)
            read = any(matches(relative, patterns) for patterns in self.config_patterns.values())
            if not read and path.suffix in SUFFIXES:
                check_name(_shown(path, folder), list(self.config_patterns))
            if path.suffix in SUFFIXES or (read and path.suffix == JSON):
                where = _shown(path, folder)
                yield path, parse(self._content(path, where), where)

    def _of_kind(self, folder: str, patterns: Iterable[str]) -> dict[Path, Document]:
        """The files of an environment's folder that the patterns of a kind find."""
        root = Path(self._get_conf_env_path(folder))
        found = (self._documents or {})[folder].items()
        return {path: document for path, document in found if matches(path.relative_to(root), patterns)}

    def _read_dir_configs(
        self,
        conf_path: str,
        patterns: Iterable[str],
        key: str,
        processed_files: set[Path],
        read_environment_variables: bool | None = False,
    ) -> dict[Path, DictConfig]:
        """As Kedro's own, from what is read and checked already."""
        documents = self._of_kind(Path(conf_path).name, patterns)
        processed_files.update(documents)
        conf_check.each_key_once(documents.values(), deep=key == "parameters")
        found: dict[Path, DictConfig] = {}
        for path, document in documents.items():
            with conf_check.told(lambda document=document: [document]):  # type: ignore[misc]
                found[path] = OmegaConf.create(document.values)
                if read_environment_variables:
                    self._resolve_environment_variables(found[path])
        return found

    def _merge_and_resolve(self, key: str, config_per_file: dict[Path, DictConfig]) -> dict[str, Any]:
        with conf_check.told(lambda: self.documents(key)):
            merged: dict[str, Any] = super()._merge_and_resolve(key, config_per_file)
        return merged

    def _merge_configs(self, config: dict[str, Any], env_config: dict[str, Any], key: str, env_path: str) -> Any:
        documents = list(self.documents(key))
        conf_check.same_shapes(config, env_config, lambda path: conf_check.place_of(path, documents))
        return super()._merge_configs(config, env_config, key, env_path)

    @staticmethod
    def _soft_merge(config: dict[str, Any], env_config: dict[str, Any], env_path: str | None = None) -> Any:
        return soft_merge(config, env_config)

    def _get_globals_value(self, variable: str, *default: Any) -> Any:
        try:
            return super()._get_globals_value(variable, *default)
        except InterpolationResolutionError:
            raise unknown("globals.yml", "key", variable, self._globals) from None

    @staticmethod
    def _initialise_filesystem_and_protocol(conf_source: str) -> tuple[Any, str]:
        try:
            return OmegaConfigLoader._initialise_filesystem_and_protocol(conf_source)
        except Exception as error:  # each kind of archive raises its own errors
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(f"--conf-source: '{conf_source}' cannot be read as an archive: {reason}") from None

    def _content(self, path: Path, where: str) -> bytes:
        """The bytes of a file in a folder or an archive."""
        if self._protocol == LOCAL:
            return read_bytes(path, where)
        try:
            with self._fs.open(path.as_posix()) as file:
                return cast(bytes, file.read(LONGEST + 1))
        except Exception as error:  # likewise
            raise ConfigError(f"{where}: cannot be read from its archive: {error}") from None


def _checked_source(source: str | Path) -> str:
    """Return the place of the configuration, if it is on this machine."""
    where, text = "--conf-source", str(source)
    if "://" in text:
        raise ConfigError(f"{where}: must be a folder or an archive on this machine, got '{text}'")
    if not Path(text).exists():
        raise ConfigError(f"{where}: must be a folder or an archive, got '{text}', which does not exist")
    if Path(text).is_file() and mimetypes.guess_type(text)[0] not in ARCHIVES:
        raise ConfigError(f"{where}: must be a folder or an archive (.zip, .tar, .tar.gz), got the file '{text}'")
    return text


def _shown(path: Path, folder: Path) -> str:
    return (Path(folder.parent.name, folder.name) / path.relative_to(folder)).as_posix()
