"""The command that does in a terminal what a page does."""

import shlex
from collections.abc import Sequence


def compare_command(first: str, second: str, every: bool, env: Sequence[str]) -> str:
    """Return the command that compares two runs; ``env`` is what ``env_option`` returns."""
    return shlex.join(["kedro", "compare", first, second, *(["--all"] if every else []), *env])


def env_option(env: str, default: str) -> list[str]:
    """Return the option that chooses an environment; none for the default one.

    >>> env_option("smoke", "local"), env_option("local", "local")
    (['--env=smoke'], [])
    """
    return [] if env == default else [f"--env={env}"]
