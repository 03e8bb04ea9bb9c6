"""Scores of answers that end in a number, and of answers that are an equation."""

import ast
import operator
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from peft_pipelines.evaluation.metrics.normalize import check, normalise
from peft_pipelines.evaluation.metrics.number_parsing import final_number, is_number

_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\S")

# Data-set equations are at most 31 characters long; the limit also bounds how deep brackets can nest.
_ARITHMETIC = re.compile(r"[0-9.+\-*/() ]{1,100}")
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def number_accuracy(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers whose final number equals the final number of a right answer, exactly.

    How the number was reached does not count, and an answer without a number is wrong.

    >>> number_accuracy(["so $1,234.50.", "#### 6"], [["1234.5"], ["(8 - 3) = 5"]], [])
    {'number_accuracy': 0.5}
    """
    check(predictions, references, labels)
    right = [
        (number := final_number(text)) is not None and number in map(final_number, item)
        for text, item in zip(predictions, references, strict=True)
    ]
    return {"number_accuracy": sum(right) / len(right)}


def format_rate(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers whose last line is "####" and one number, right or wrong: the form that worked solutions have.

    >>> format_rate(["6 * 3 = 18\\n#### 18.", "18", "#### 18 eggs"], [["#### 18"]] * 3, [])
    {'format_rate': 0.3333333333333333}
    """
    check(predictions, references, labels)
    last = [normalise(text).rpartition("\n")[2] for text in predictions]
    formed = [line.startswith("####") and is_number(line.removeprefix("####")) for line in last]
    return {"format_rate": sum(formed) / len(formed)}


def equation_accuracy(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers whose part before "=" is that of a right answer, but for blanks and ".0".

    Order and brackets count: "(3 + 8)" is not "(8 + 3)". What follows "=" does not: see ``number_accuracy``.

    >>> equation_accuracy(["(8.0-3.0) = 5", "(1+1)=2"], [["(8 - 3) = 5"], ["(4 - 2) = 2"]], [])
    {'equation_accuracy': 0.5}
    """
    check(predictions, references, labels)
    right = [_left(text) in map(_left, item) for text, item in zip(predictions, references, strict=True)]
    return {"equation_accuracy": sum(right) / len(right)}


def equation_consistency(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Share of answers whose left side evaluates to the number on their own right side. A diagnostic only.

    It never looks at the right answers, so a constant "(1+1)=2" gets all of it: never a task's primary metric.

    >>> equation_consistency(["(1+1)=2", "(8 - 3) = 6"], [["(8 - 3) = 5"], ["(8 - 3) = 5"]], [])
    {'equation_consistency': 0.5}
    """
    check(predictions, references, labels)
    return {"equation_consistency": sum(map(_consistent, predictions)) / len(predictions)}


def evaluate(expression: str) -> Fraction | None:
    """The exact value of an expression of numbers, brackets, + - * / and unary minus; None for anything else.

    Nothing is executed, and with at most 100 characters and no powers no value grows large.

    >>> evaluate("((7 + 2.5) - 4)"), evaluate("2 ** 3"), evaluate("1 / 0")
    (Fraction(11, 2), None, None)
    """
    text = expression.strip()
    if not _ARITHMETIC.fullmatch(text):
        return None
    try:
        return _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(left), _value(right))
    raise ValueError(f"not plain arithmetic: {type(node).__name__}")


def _left(answer: str) -> list[str]:
    tokens = _TOKEN.findall(normalise(answer).partition("=")[0])
    return [re.sub(r"\.0+$", "", token) for token in tokens]


def _consistent(answer: str) -> bool:
    left, _, right = normalise(answer).partition("=")
    value, number = evaluate(left), final_number(right)
    return value is not None and value == number
