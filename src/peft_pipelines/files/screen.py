"""What is printed: the one place from which text reaches the screen, and the form of what is logged."""

import logging

import click

from peft_pipelines.files.escape import for_terminal


def show(text: str, *, end: str = "\n") -> None:
    """Print a result on standard output; control characters in it are made visible, ends of lines stay."""
    click.echo(for_terminal(text, keep="\n") + end, nl=False)


def show_line(line: str) -> None:
    """Print a line on standard error: standard output is for the results."""
    click.echo(for_terminal(line), err=True)


class Formatter(logging.Formatter):
    """The form of a log's lines: control characters are made visible, ends of lines stay for tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        return for_terminal(super().format(record), keep="\n")


def escape_logs() -> None:
    """Give this form to what logs to a stream: Kedro takes no class of ours in conf/logging.yml."""
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(Formatter(handler.formatter._fmt if handler.formatter else None))
