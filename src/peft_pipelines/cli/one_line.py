"""Commands whose mistakes end in one line: what was typed, what a file holds, what the disk refuses."""

import errno
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from click.exceptions import Exit, NoArgsIsHelpError
from kedro.framework.cli.utils import KedroCliError

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.files import disk
from peft_pipelines.files.escape import for_terminal
from peft_pipelines.running.failures import PartsFailed

LONGEST: Final = 100_000
"""Characters of one argument."""

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")

_CATALOG: Final = re.compile(
    r"parsing config for dataset '|Dataset '.*' must only contain arguments valid|is not a valid dataset configuration"
)
"""What Kedro says where an entry of the catalog makes no data set."""

_REMEDIES: Final = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, or choose another folder by --params store=FOLDER"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        "give yourself the right to it, or choose another folder by --params store=FOLDER",
    ),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "a folder is needed there: move what is in its place"),
    errno.EISDIR: "a file is needed there: move the folder in its place",
    errno.ELOOP: "a link leads back to itself: remove it",
    errno.ENAMETOOLONG: "write a shorter name",
    errno.ENOENT: "check the name",
}


class Fault(click.ClickException):
    """A mistake of the user's, or what failed in a run; it is printed behind ``Error:``, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(for_terminal(message, keep="\n"))
        self.exit_code = exit_code  # type: ignore[misc]


@contextmanager
def in_one_line() -> Iterator[None]:
    """Turn a user's mistake, and what failed in a run, into a Fault. All other exceptions pass as they are."""
    try:
        yield
    except click.UsageError as error:
        if isinstance(error, NoArgsIsHelpError):
            raise
        raise Fault(_usage(error), error.exit_code) from None
    except KedroCliError as error:
        raise Fault(" ".join(error.message.split()), error.exit_code) from None
    except (click.ClickException, Exit):
        raise
    except Exception as error:  # Kedro wraps what it meets in exceptions of its own; what is no mistake passes on
        reason = reason_of(error)
        if reason is None:
            raise
        raise Fault(reason) from None


def reason_of(error: BaseException) -> str | None:
    """Return what a user reads of an exception; None for one that no input explains."""
    known = next((one for one in _causes(error) if isinstance(one, ConfigError | PartsFailed)), None)
    if known:
        return str(known)
    entry = next((str(one) for one in _causes(error) if _CATALOG.search(str(one))), None)
    if entry:
        reason = " ".join(entry.partition("Hint:")[0].split())
        return f"catalog.yml: {reason:.300}; an installed type of data set with its own arguments is allowed"
    line = disk.line(error, tuple(_REMEDIES) + disk.CODES)
    refused = next((one for one in _causes(error) if isinstance(one, OSError) and one.errno in _REMEDIES), None)
    return f"{line}; {_REMEDIES[refused.errno or 0]}" if line and refused else line


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and the ones that it was raised from: Kedro wraps what a dataset raises."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _usage(error: click.UsageError) -> str:
    """What is wrong with options and arguments, and which there are."""
    context = error.ctx
    if context is None:
        return error.format_message()
    path = context.command_path
    if isinstance(error, click.NoSuchOption):
        options = [name for one in context.command.get_params(context) for name in one.opts if name.startswith("-")]
        return str(
            unknown(path, "option", f"{error.option_name:.80}", [name for name in options if len(name) > len("-x")])
        )
    usage = " ".join(context.get_usage().split())
    return f"{path}: {error.format_message().rstrip('.'):.300}. {usage}"


class _Told(click.Command):
    """What commands and groups of them have in common: a fault of the command line is told in one line."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the command line."""
        with in_one_line():
            return super().make_context(*args, **options)


class Command(_Told):
    """A command that reads each option once, and whose mistakes end in one line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; none may hold what is no text, and no option may be given twice."""
        try:
            if not ctx.resilient_parsing:
                _check_text(args, ctx.command_path)
                self._check_each_once(ctx, list(args))
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def _check_each_once(self, ctx: click.Context, args: list[str]) -> None:
        _, _, given = self.make_parser(ctx).parse_args(args)
        for option, count in Counter(given).items():
            if count > 1 and isinstance(option, click.Option) and not (option.multiple or option.is_flag):
                raise ConfigError(f"{flag(option)}: is given {count} times; once is allowed")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what fails is told in one line."""
        with in_one_line():
            return super().invoke(ctx)


def _check_text(args: list[str], path: str) -> None:
    for number, text in enumerate(args, 1):
        where = f"{path}, argument {number} '{text:.40}'"
        if found := _NO_TEXT.search(text):
            kind = "the character NUL" if found[0] == "\0" else "a byte that is not UTF-8"
            raise ConfigError(f"{where}: must be text, but character {found.start() + 1} is {kind}")
        if len(text) > LONGEST:
            raise ConfigError(f"{where}: must have at most {LONGEST} characters, got {len(text)}")


def flag(option: click.Parameter) -> str:
    """Return the long name of an option, such as ``--tags``; of an argument its name."""
    return max(option.opts, key=len)


class Group(_Told, click.Group):
    """A group of such commands, which knows what else ``kedro`` has."""

    command_class = Command

    def get_command(self, ctx: click.Context | None, cmd_name: str) -> click.Command | None:
        """Return a command of this group, None for one of another group of ``kedro``.

        Args:
            ctx: None where nobody typed the name: kedro-telemetry walks the commands so, to mask what was typed.
            cmd_name: a command's name.

        Raises:
            Fault: there is no command of this name at all.
        """
        found = self.commands.get(cmd_name)
        if found is not None or ctx is None or ctx.resilient_parsing:
            return found
        known = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
        if cmd_name not in known:
            raise Fault(str(unknown(ctx.command_path, "command", cmd_name, sorted(set(known)))), exit_code=2)
        return None
