"""The runner and its arguments: ``--runner``, ``--runner-params``, ``--workers`` and ``--per-gpu``."""

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kedro.runner import AbstractRunner
from kedro.utils import load_obj

from peft_pipelines.cli.options import params
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files.system import HANDS_ON
from peft_pipelines.running.kedro_runners import ALLOWED, CELL_RUNNER, RAY_RUNNER, check_runner

RUNNER: Final = "peft_pipelines.running.cell_runner.CellRunner"
RAY: Final = "peft_pipelines.running.ray_runner.RayRunner"
PATHS: Final = {
    CELL_RUNNER: RUNNER,
    "SequentialRunner": "kedro.runner.SequentialRunner",
    RAY_RUNNER: RAY,
    "peft_pipelines.running.RayRunner": RAY,
}


class Argument(NamedTuple):
    """An argument of a runner: what it may be, in words, and whether a value is that."""

    words: str
    allows: Callable[[Any], bool]


def _is_share(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (0 <= value <= 1 or (value > 1 and value == int(value)))


READ: Final = {
    "is_async": Argument("true or false", lambda value: isinstance(value, bool)),
    "num_gpus": Argument("a share from 0 to 1 or a whole number", _is_share),
    "address": Argument("a cluster's address, such as auto or ray-head:6379", lambda value: isinstance(value, str)),
}
"""The arguments that ``--runner-params`` may give."""
ANY: Final = ("is_async",)
TAKEN: Final = {RUNNER: (*ANY, "workers", "per_gpu"), RAY: (*ANY, "workers", "num_gpus", "address")}
"""What a runner takes, if more than Kedro's own do."""

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


def with_workers(arguments: dict[str, Any], runner: str, workers: int | None, per_gpu: int | None) -> dict[str, Any]:
    """Return the arguments of the runner with those of ``--workers`` and ``--per-gpu``, None for what was not given.

    Raises:
        ConfigError: an argument or an option is given that the runner does not take.
    """
    given = {"workers": workers, "per_gpu": per_gpu}
    name, takes = runner.rpartition(".")[2], TAKEN.get(runner, ANY)
    for argument in arguments:
        if argument not in takes or argument not in READ:
            raise unknown("--runner-params", "argument", argument, [each for each in takes if each in READ])
    for option, value in given.items():
        if value is not None and option not in takes:
            flag, others = f"--{option.replace('_', '-')}", [each for each in TAKEN if option in TAKEN[each]]
            able = ", ".join(each.rpartition(".")[2] for each in others)
            raise ConfigError(f"{flag}: must be left out with --runner={name}, got {value}. Allowed with {able}")
    found = {**arguments, **{option: value for option, value in given.items() if option in takes}}
    if not HANDS_ON and (found.get("workers") or 1) > 1:
        raise ConfigError(f"--workers: must be 1 on Windows, whose processes hand no socket on, got {found['workers']}")
    return found


def runner_params(where: str, value: str | dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the runner; whether it takes them is seen later.

    >>> runner_params("--runner-params", "is_async=false")
    {'is_async': False}
    """
    found = params(where, value)
    for name, given in found.items():
        if name in READ and not READ[name].allows(given):
            raise ConfigError(f"{where}, {name}: must be {READ[name].words}, got '{given!s:.80}'")
    return found
