"""Chat templates as text, in bounds: no template may hang a run, fill its memory, or look at the clock.

The environment is that of ``transformers`` (``utils/chat_template_utils.py``), with a fixed date and with limits. As
not all that a template can do is seen from within, a template is first tried by a process of its own, whose memory and
time the system limits: this module is its program, and so imports nothing of the project's.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

import jinja2
import jinja2.ext
import jinja2.meta
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

LONGEST = 10_000_000
"""Characters that a rendered text, or a product in a template, may have."""
BITS, WIDE = 4096, re.compile(r"[0-9]{6}|[*]")
MEMORY, SECONDS = 1 << 30, 10


class Generation(jinja2.ext.Extension):
    """The tag that marks an assistant's turn; what is in it is written as it is."""

    tags = {"generation"}  # noqa: RUF012  (jinja's own way to say it)

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body, lineno=line)


class Bounded(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """A sandbox whose products, powers and formats stay small."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return what an operator makes, or refuse it for its size."""
        if operator == "*" and _length(left) * _length(right) > LONGEST:
            raise jinja2.exceptions.TemplateRuntimeError(f"'*' would make more than {LONGEST} characters")
        if operator == "**" and _bits(left, right) > BITS:
            raise jinja2.exceptions.TemplateRuntimeError(f"'**' would make a number of more than {BITS} bits")
        if operator == "%" and isinstance(left, str) and WIDE.search(left):
            raise jinja2.exceptions.TemplateRuntimeError("'%' would make a text that is too long")
        return super().call_binop(context, operator, left, right)


def _length(value: Any) -> int:
    """The length of a text or list; of a number beside one, the number."""
    if isinstance(value, int):
        return abs(value) if abs(value) < LONGEST else LONGEST
    return len(value) if isinstance(value, str | list | tuple) else 1


def _bits(base: Any, power: Any) -> float:
    return base.bit_length() * power if isinstance(base, int) and isinstance(power, int) else 0


def _refuse(message: str) -> None:
    raise jinja2.exceptions.TemplateError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@lru_cache(maxsize=8)
def compiled(template: str, day: str) -> jinja2.Template:
    """Return a template in which today is a given day (ISO)."""
    environment = Bounded(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = _tojson
    del environment.filters["random"], environment.globals["lipsum"]  # a prompt is the same each time
    today = datetime.combine(date.fromisoformat(day), time())
    environment.globals.update(raise_exception=_refuse, strftime_now=today.strftime)
    return environment.from_string(template)


def names_in(template: str) -> set[str]:
    """Return the names that a template asks its caller for."""
    environment = compiled("", "2000-01-01").environment
    return jinja2.meta.find_undeclared_variables(environment.parse(template))


def rendered(template: str, day: str, values: Mapping[str, Any]) -> str:
    """Return a template's text for some values.

    Raises:
        TemplateError: the template refuses them, or its text is too long.
    """
    parts, length = [], 0
    for part in compiled(template, day).generate(values):
        length += len(part)
        if length > LONGEST:
            raise jinja2.exceptions.TemplateRuntimeError(f"its text has more than {LONGEST} characters")
        parts.append(part)
    return "".join(parts)


def tried(template: str, day: str, cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``texts``, one for each case, and ``asks``, the names that it asks for; or ``error``, a short line."""
    try:
        return {"texts": [rendered(template, day, values) for values in cases], "asks": sorted(names_in(template))}
    except MemoryError:
        return {"error": "it takes more memory than a text needs"}
    except Exception as error:  # a template is a program: it may raise anything
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]}


def limit() -> None:
    """Limit this process's memory and processor time, as far as the system can: macOS takes no limit of memory."""
    try:
        import resource  # noqa: PLC0415  (the tried process alone limits itself)
    except ImportError:
        return  # Windows has none; how long the run waits for this process ends it there
    for which, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        try:
            resource.setrlimit(which, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":
                raise


def main() -> None:
    """Read a trial from standard input, under limits of memory and time, and write what came of it."""
    limit()
    sys.stdout.write(json.dumps(tried(*json.load(sys.stdin))))


if __name__ == "__main__":
    main()
