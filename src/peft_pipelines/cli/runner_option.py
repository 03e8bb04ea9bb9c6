"""The options ``--runner``, ``--runner-params`` and ``--workers``: the runner's class, and its arguments."""

import inspect
import re
from typing import Any, Final

from kedro.runner import AbstractRunner
from kedro.utils import load_obj

from peft_pipelines.cli.options import params
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.running.kedro_runners import ALLOWED, CELL_RUNNER, check_runner

RUNNER: Final = "peft_pipelines.running.cell_runner.CellRunner"
PATHS: Final = {CELL_RUNNER: RUNNER, "SequentialRunner": "kedro.runner.SequentialRunner"}

_PATH: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def runner_path(where: str, name: str) -> str:
    """Return the path of a runner's class, given by its name or as MODULE.CLASS.

    Raises:
        ConfigError: there is no such class, it is no runner, or one that cannot run this project.
    """
    check_runner(name)
    path = PATHS.get(name, name)
    if path not in PATHS.values():
        _check_class(where, path)
    return path


def _check_class(where: str, path: str) -> None:
    if not _PATH.fullmatch(path):
        raise unknown(where, "runner", f"{path:.80}", ALLOWED)
    try:
        found = load_obj(path)
    except AttributeError:
        found = None
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{where}: '{path:.80}' cannot be imported: {error}. Allowed: {', '.join(ALLOWED)}") from None
    if not (isinstance(found, type) and issubclass(found, AbstractRunner)) or inspect.isabstract(found):
        raise ConfigError(f"{where}: '{path:.80}' is no runner's class. Allowed: {', '.join(ALLOWED)}")


def with_workers(arguments: dict[str, Any], runner: str, workers: int | None) -> dict[str, Any]:
    """Return the arguments of the runner with the number of its workers; None for as many as the machine allows.

    Raises:
        ConfigError: workers are asked for, and the runner has none.
    """
    if runner == RUNNER:
        return {**arguments, "workers": workers}
    if workers is not None:
        name = runner.rpartition(".")[2]
        raise ConfigError(f"--workers: must be left out with --runner={name}, got {workers}; {CELL_RUNNER} has workers")
    return arguments


def runner_params(where: str, value: str | dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the runner; both runners that work here take one.

    >>> runner_params("--runner-params", "is_async=false")
    {'is_async': False}
    """
    found = params(where, value)
    for name, given in found.items():
        if name != "is_async":
            raise unknown(where, "argument", name, ["is_async"])
        if not isinstance(given, bool):
            raise ConfigError(f"{where}, is_async: must be true or false, got '{given!s:.80}'")
    return found
