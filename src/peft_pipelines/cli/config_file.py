"""The option ``--config``: a YAML file with the options of ``kedro run``, read as strictly as they are."""

from pathlib import Path
from typing import Any, Final

import click

from peft_pipelines.cli.options import text
from peft_pipelines.config.conf_files import read_bytes
from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.strict_yaml import Document, parse

SECTION: Final = "run"
_FIELDS: Final = ("params", "runner_params", "load_versions")
_LISTS: Final = ("tags", "node_names", "to_nodes", "from_nodes", "from_inputs", "to_outputs", "pipelines", "namespaces")
_NUMBERS: Final = ("workers", "per_gpu")


def read_config(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Take the options that are not typed from the file.

    Raises:
        ConfigError: the file cannot be read, or an option in it is unknown or of a wrong kind.
    """
    if value is None:
        return None
    path = Path(text("--config", value))
    document = parse(read_bytes(path, f"--config '{path}'"), f"--config '{path}'")
    known = [one.name or "" for one in ctx.command.params if one.name not in ("config", "help")]
    for name in document.values:
        if name != SECTION:
            raise unknown(document.at((name,)), "key", f"{name:.80}", [SECTION])
    options = document.values.get(SECTION)
    if not isinstance(options, dict) or not options:
        raise ConfigError(f"{document.at((SECTION,))}: key '{SECTION}' must have options, got {options!r:.80}")
    for name in options:
        if name not in known:
            raise unknown(document.at((SECTION, name)), "option", f"{name:.80}", known)
    flags = {one.name for one in ctx.command.params if isinstance(one, click.Option) and one.is_flag}
    ctx.default_map = {name: _checked(document, name, one, name in flags) for name, one in options.items()}
    return value


def _checked(document: Document, name: str, value: Any, is_flag: bool) -> Any:
    """Return the value of an option as the command line would give it."""
    if is_flag:
        allowed, fits = "true or false", isinstance(value, bool)
    elif name in _FIELDS:
        allowed, fits = "text or keys with values", isinstance(value, str | dict)
    elif name in _LISTS:
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        allowed, fits = "text or a list of texts", isinstance(value, str) or texts
    elif name in _NUMBERS:
        allowed, fits = "a whole number", isinstance(value, int) and not isinstance(value, bool)
    else:
        allowed, fits = "text", isinstance(value, str)
    if not fits:
        raise ConfigError(f"{document.at((SECTION, name))}: option '{name}' must be {allowed}, got {value!r:.80}")
    if name == "load_versions" and isinstance(value, dict):
        return ",".join(f"{key}:{one}" for key, one in value.items())
    return value
