"""The project as the board sees it: a folder with environments. Whatever is shown is read from there each time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.project import settings

from peft_pipelines.config.errors import unknown
from peft_pipelines.files import names


@dataclass(frozen=True)
class Project:
    """A project's folder; ``source`` is another folder of configuration than its own."""

    root: Path
    source: Path | None = None

    @property
    def conf(self) -> Path:
        """The folder of the environments."""
        return self.source or self.root / str(settings.CONF_SOURCE)

    @property
    def base(self) -> str:
        """The name of the environment that all others change."""
        return str(settings.CONFIG_LOADER_ARGS["base_env"])

    @property
    def environments(self) -> list[str]:
        """The names of the environments: the default one first, the base none of them."""
        default = str(settings.CONFIG_LOADER_ARGS["default_run_env"])
        found = {each.name for each in self.conf.iterdir() if each.is_dir() and each.name.isidentifier()}
        return [default, *sorted(found - {self.base, default})]

    def environment(self, name: str | None) -> str:
        """Return an environment's name, the default one's for None.

        Raises:
            ConfigError: there is no such environment.
        """
        if name is None:
            return self.environments[0]
        if name not in self.environments:
            raise unknown("environment", "name", name, self.environments)
        return name

    def loader(self, env: str, params: dict[str, Any] | None = None) -> AbstractConfigLoader:
        """Return the configuration of an environment as it is written, without the checks of a session."""
        loader: AbstractConfigLoader = settings.CONFIG_LOADER_CLASS(
            conf_source=str(self.conf), env=env, runtime_params=params or {}, **settings.CONFIG_LOADER_ARGS
        )
        return loader

    def place(self, env: str, dataset: str) -> Path:
        """Return where an environment's store has a dataset of the catalog that has no pattern, such as the runs."""
        return self.root / str(self.loader(env)["catalog"][dataset]["filepath"])

    def runs(self, env: str) -> Path:
        """Return the folder of an environment's runs on record; the first run makes it."""
        return self.place(env, names.RUNS)
