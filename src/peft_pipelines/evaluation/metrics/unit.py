"""Units of metrics: their range, and how values are written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """Unit and range of a number, and how it is written: times ``factor``, with ``decimals``.

    ``low`` and ``high`` are in the number's own unit, before ``factor``; None is no bound.
    """

    name: str
    low: float | None
    high: float | None
    factor: float = 1.0
    decimals: int = 3

    @property
    def in_percent(self) -> bool:
        """True where numbers are written in hundredths."""
        return self.factor == 100.0  # noqa: PLR2004

    @property
    def range(self) -> str:
        """The range in words.

        >>> CORRELATION.range, ANSWERS.range
        ('-1 to 1', '0 or more')
        """
        if self.low is None:
            return "any number" if self.high is None else f"{self.high:g} or less"
        return f"{self.low:g} or more" if self.high is None else f"{self.low:g} to {self.high:g}"

    def text(self, value: float, decimals: int | None = None, *, signed: bool = False) -> str:
        """A value as tables write it, without the unit.

        >>> PERCENT.text(0.125), PERCENT.text(0.125, 0), ANSWERS.text(1.25, signed=True)
        ('12.5', '12', '+1.250')
        """
        return self.write(self.factor * value, decimals, signed=signed)

    def with_symbol(self, value: float) -> str:
        """A value as running text has it: in hundredths with the percent sign.

        >>> PERCENT.with_symbol(0.125), ANSWERS.with_symbol(0.125)
        ('12.5 %', '0.125')
        """
        return self.text(value) + (" %" if self.in_percent else "")

    def difference(self, value: float) -> str:
        """A difference of two values as running text has it: in hundredths as points, which percent would not be.

        >>> PERCENT.difference(0.071), ANSWERS.difference(0.25)
        ('7.1 points', '0.250')
        """
        return self.text(value) + (" points" if self.in_percent else "")

    def write(self, scaled: float, decimals: int | None = None, *, signed: bool = False) -> str:
        """A value that was multiplied by ``factor`` already; ``decimals`` overrides those of hundredths alone."""
        places = decimals if decimals is not None and self.in_percent else self.decimals
        return f"{scaled:{'+' if signed else ''}.{places}f}"


PERCENT = Unit("share", 0.0, 1.0, factor=100.0, decimals=1)
CORRELATION = Unit("correlation", -1.0, 1.0, factor=100.0, decimals=1)
ANSWERS = Unit("unit of the answers", 0.0, None)
COUNT = Unit("count", 0.0, None, decimals=0)
