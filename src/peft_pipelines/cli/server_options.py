"""What the commands that open a server have in common: the port, and the libraries that they need."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

import click

from peft_pipelines.cli import options
from peft_pipelines.config.errors import ConfigError

HIGHEST: Final = 65535
LIBRARIES: Final = ("fastapi", "uvicorn")


def port_option(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--port`` with a default."""
    return click.option(
        "--port",
        metavar="N",
        type=click.UNPROCESSED,
        callback=options.strict(_port, lambda: default),
        help=f"The port; 0 is any free one. Default: {default}.",
    )


def _port(where: str, value: str | int) -> int:
    digits = str(value).strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(HIGHEST)) and int(digits) <= HIGHEST):
        raise ConfigError(f"{where}: must be a whole number from 0 to {HIGHEST}, got '{value!s:.80}'")
    return int(digits)


def check_libraries(command: str) -> None:
    """Raise ConfigError where the server's libraries are missing."""
    if not all(map(find_spec, LIBRARIES)):
        raise ConfigError(f"{command}: needs FastAPI and Uvicorn, which are not installed: pip install -e '.[serve]'")
