"""The options of ``kedro run``, each read strictly: what is empty, malformed or given twice is refused."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click
from click.core import ParameterSource
from kedro.framework.cli.project import PARAMS_ARG_HELP
from kedro.framework.cli.utils import env_option

from peft_pipelines.cli.one_line import flag
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.strict_yaml import parse_value

Read = Callable[[click.Context, click.Parameter, Any], Any]

KEY: Final = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*")
VERSION: Final = "2026-01-31T12.00.00.000Z"
MOST: Final = 1000
"""The largest number that an option takes."""
_OPEN, _CLOSE, _QUOTES = "[{", "]}", "\"'"


def strict(read: Callable[[str, Any], Any], empty: Callable[[], Any]) -> Read:
    """Return a callback of click: it reads a value that is given, and has another one for an option that is not.

    Args:
        read: gets the option's name, such as ``--tags``, and its value.
        empty: makes the value of an option that is not given.
    """

    def callback(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
        source = ctx.get_parameter_source(option.name or "")
        missing = source in (ParameterSource.DEFAULT, None) or value is None
        return empty() if missing else read(flag(option), value)

    return callback


def read_by(option: click.Parameter, readers: Mapping[str, Read]) -> click.Parameter:
    """Return one of Kedro's options, read by the callback for its argument's name; as it is where there is none."""
    if option.name not in readers:
        return option
    mine = copy.copy(option)
    mine.callback, mine.type = readers[option.name], click.UNPROCESSED
    return mine


def text(where: str, value: str) -> str:
    """Return a value in which something can be read.

    >>> text("--env", " ")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: --env: must be a name, got ' '; leave the option out for its default
    """
    if not value.strip():
        raise ConfigError(f"{where}: must be a name, got '{value}'; leave the option out for its default")
    return value


def count(where: str, value: str | int) -> int:
    """Return a whole number of at least one.

    >>> count("--workers", "2")
    2
    >>> count("--workers", "two")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: --workers: must be a whole number from 1 to 1000, got 'two'
    """
    digits = str(value).strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < len("10000") and 1 <= int(digits) <= MOST):
        raise ConfigError(f"{where}: must be a whole number from 1 to {MOST}, got '{value!s:.80}'")
    return int(digits)


def names(where: str, value: str | Sequence[str]) -> list[str]:
    """Return the names in a list with commas.

    >>> names("--tags", "a, b")
    ['a', 'b']
    >>> names("--tags", "a,,b")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: --tags: must be names with commas between them, got an empty one in 'a,,b'
    """
    found = [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
    if not all(found) or not found:
        raise ConfigError(f"{where}: must be names with commas between them, got an empty one in '{value!s:.80}'")
    _each_once(where, found)
    return found


def names_of(kind: str, known: Callable[[], Iterable[str]]) -> Callable[[str, str], list[str]]:
    """Return a reading of names of one kind, each of which must be among the known ones."""

    def read(where: str, value: str) -> list[str]:
        found, allowed = names(where, value), list(known())
        if wrong := [name for name in found if name not in allowed]:
            raise unknown(where, kind, wrong[0], allowed)
        return found

    return read


def _each_once(where: str, found: Sequence[str]) -> None:
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{where}: must name each once, got '{twice:.80}' twice")


def versions(where: str, value: str) -> dict[str, str]:
    """Return the version of each data set that is named, from DATASET:VERSION with commas between them."""
    form = f"must be DATASET:VERSION with commas between them, such as sst2_adapted:{VERSION}"
    found = [tuple(part.strip() for part in item.partition(":")) for item in value.split(",")]
    for name, colon, version in found:
        if not (name and colon and version):
            raise ConfigError(f"{where}: {form}, got '{name}{colon}{version}'")
        if not re.fullmatch(r"[\w.-]+", version) or version.strip(".") == "":
            raise ConfigError(f"{where}: the version of '{name}' must be the name of a folder, got '{version}'")
    _each_once(where, [name for name, _, _ in found])
    return {name: version for name, _, version in found}


def params(where: str, value: str | dict[str, Any]) -> dict[str, Any]:
    """Return the parameters in KEY=VALUE with commas between them, keys with points as rows inside rows.

    A value is YAML on one line; commas inside brackets and quotes belong to it.

    >>> params("--params", "raw=rows,training.epochs=2,training.loss={type: focal, gamma: 2}")
    {'raw': 'rows', 'training': {'epochs': 2, 'loss': {'type': 'focal', 'gamma': 2}}}
    """
    pairs = list(_leaves(value)) if isinstance(value, dict) else [_pair(where, item) for item in _items(value)]
    found: dict[str, Any] = {}
    for key, one in pairs:
        _set(found, key, one, where)
    return found


def _items(value: str) -> list[str]:
    """The parts between commas that stand in no bracket and no quote."""
    parts, depth, quote = [""], 0, ""
    for sign in value:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in _QUOTES and re.search(r"[=,:\[{]\s*$", parts[-1]):
            quote = sign
        else:
            depth += (sign in _OPEN) - (sign in _CLOSE)
        if sign == "," and depth <= 0 and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _pair(where: str, item: str) -> tuple[str, Any]:
    key, equals, value = (part.strip() for part in item.partition("="))
    if not equals:
        raise ConfigError(f"{where}: must be KEY=VALUE with commas between them, got '{item:.80}'")
    if not KEY.fullmatch(key):
        raise ConfigError(f"{where}: a key must be words with points between them, got '{key:.80}' in '{item:.80}'")
    if not value:
        raise ConfigError(f"{where}, {key:.80}: must have a value, got none; write null for none")
    return key, parse_value(value, f"{where}, {key:.80}")


def _leaves(values: dict[Any, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a mapping with points between them, and their values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _set(found: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Put a value at the end of a path of keys; none may stand there, nor on the way."""
    inner, (*way, last) = found, key.split(".")
    for step in way:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{where}: '{key:.80}' stands inside '{step:.80}', which has a value; give one of them")
    if last in inner:
        raise ConfigError(f"{where}: must give each key once, got '{key:.80}' twice")
    inner[last] = value


def placed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of ``kedro run`` that choose the store."""
    read = strict(params, dict)
    with_params = click.option("--params", type=click.UNPROCESSED, default="", help=PARAMS_ARG_HELP, callback=read)
    return with_env(with_params(command))


def with_env(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option of ``kedro run`` that names the environment."""
    return env_option(command, callback=strict(text, lambda: None))  # type: ignore[no-any-return]
