"""Test cases of a programming problem, and the check of a program's output for one. Nothing is executed here."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

RELATIVE, ABSOLUTE = 1e-5, 1e-8  # how far a number with a point or an exponent may be off
LONGEST_INTEGER = 4300  # digits that Python reads from a text by default
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Cases:
    """The cases of one problem.

    ``inputs`` are texts for standard input or, where the problem asks for the ``function`` of that name, lists of
    arguments; ``outputs`` are what must be printed or returned.
    """

    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    function: str | None

    @classmethod
    def of(cls, text: str) -> "Cases":
        r"""The cases as APPS writes them: JSON with ``inputs``, ``outputs`` and, for a function, its ``fn_name``.

        Lines given as a list are one text; whole numbers as keys of an argument, which JSON cannot hold, are restored.

        Raises:
            ValueError: the text is not such JSON, or holds no case.

        >>> Cases.of('{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}').inputs
        ('1 2\n',)
        >>> Cases.of('{"fn_name": "f", "inputs": [[{"1": 2}]], "outputs": [[2]]}').inputs
        ([{1: 2}],)
        """
        try:
            found = json.loads(text, parse_int=lambda digits: int(_exact(digits)))
            inputs, outputs = found["inputs"], found["outputs"]
            function = found.get("fn_name")
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"test cases are not JSON with inputs and outputs: {error!r:.80}") from None
        if not isinstance(inputs, list) or not isinstance(outputs, list) or not 0 < len(inputs) == len(outputs):
            raise ValueError("test cases must be as many inputs as outputs, and at least one")
        if function is None:
            return cls(tuple(map(_joined, inputs)), tuple(map(_joined, outputs)), None)
        if not isinstance(function, str) or not all(isinstance(arguments, list) for arguments in inputs):
            raise ValueError("test cases of a function must name it and give a list of arguments for each call")
        return cls(tuple(map(_whole_keys, inputs)), tuple(outputs), function)

    def holds(self, number: int, output: str) -> bool:
        """True where the output for case ``number`` is right: the printed text, or the returned value as JSON.

        >>> Cases(("2",), ("0.333333 yes",), None).holds(0, "0.33333334\\n\\n yes")
        True
        >>> Cases(([5],), ([25],), "square").holds(0, "25")
        True
        """
        wanted = self.outputs[number]
        if self.function is None:
            return same_text(output, wanted)
        try:
            given = json.loads(output, parse_int=_exact)
        except (ValueError, RecursionError):
            return False
        return same_value(given, wanted) or (self._boxed and same_value(given, wanted[0]))

    @property
    def _boxed(self) -> bool:
        """True where each right answer stands alone in a list, as in the rows that ask for a plain function."""
        return all(isinstance(wanted, list) and len(wanted) == 1 for wanted in self.outputs)


def pass_rate(passed: Sequence[Sequence[bool]]) -> dict[str, float]:
    """The share of items all of whose cases pass, the mean share of cases that pass, and the count of these items.

    >>> pass_rate([[True, True], [True, False]])
    {'pass_rate': 0.5, 'cases_passed': 0.75, 'pass_n': 2.0}
    """
    if not passed or not all(passed):
        raise ValueError("no test cases: nothing to score")
    shares = [sum(cases) / len(cases) for cases in passed]
    whole = sum(map(all, passed))
    return {"pass_rate": whole / len(passed), "cases_passed": sum(shares) / len(shares), "pass_n": float(len(passed))}


def same_text(given: str, wanted: str) -> bool:
    """True for two outputs of the same words, numbers with a point or an exponent within 1e-5 of each other.

    >>> same_text("1  2.0000001\\n", "1 2"), same_text("1000000", "1000001"), same_text("1 2", "2 1")
    (True, False, False)
    """
    words, right = given.split(), wanted.split()
    return len(words) == len(right) and all(map(_same_word, words, right))


def _same_word(given: str, wanted: str) -> bool:
    if given == wanted:
        return True
    if not (_NUMBER.fullmatch(given) and _NUMBER.fullmatch(wanted)):
        return False
    if _INTEGER.fullmatch(given) and _INTEGER.fullmatch(wanted):
        return False  # whole numbers are exact: a tolerance would grow with them
    numbers = float(given), float(wanted)
    return all(map(math.isfinite, numbers)) and _close(*numbers)


def same_value(given: Any, wanted: Any) -> bool:
    """True for two values from JSON that are equal, floats within 1e-5 of each other.

    >>> same_value([1, {"a": 0.1}], [1, {"a": 0.1000001}]), same_value("1", 1)
    (True, False)
    """
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(same_value, given, wanted))
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(same_value(given[key], wanted[key]) for key in given)
    if isinstance(given, float) or isinstance(wanted, float):
        return isinstance(given, int | float) and isinstance(wanted, int | float) and _near(given, wanted)
    return bool(given == wanted)


def _near(given: float, wanted: float) -> bool:
    try:
        return _close(float(given), float(wanted))
    except OverflowError:
        return False


def _close(given: float, wanted: float) -> bool:
    return math.isclose(given, wanted, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _exact(digits: str) -> int | Decimal:
    """A whole number of any length, without the time that Python's own reading of long ones takes."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else Decimal(digits)


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "\n".join(map(str, text))
    if not isinstance(text, str):
        raise ValueError(f"test cases of a program must be texts, got {text!r:.80}")
    return text


def _whole_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole_keys(part) for part in value]
    if not isinstance(value, dict):
        return value
    whole = all(_INTEGER.fullmatch(key) for key in value)
    return {int(key) if whole else key: _whole_keys(part) for key, part in value.items()}
