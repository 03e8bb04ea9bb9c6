"""A cell's losses by step as the points of a small drawing: lines that a template draws as SVG, without a script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 56, 30, 12
SERIES: Final = {"loss": "training", "validation_loss": "validation"}


@dataclass(frozen=True)
class Series:
    """One line: what it shows, its points in pixels, and the same as text for an attribute of SVG."""

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The points as ``x,y x,y``."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True)
class Curve:
    """Losses by step: the lines, and the ends of both axes in words."""

    series: tuple[Series, ...]
    first_step: str
    last_step: str
    lowest: str
    highest: str
    rows: tuple[tuple[str, str, str], ...]


def curve_of(log: Sequence[Mapping[str, Any]]) -> Curve | None:
    """Return a training's losses; None where none was logged.

    Args:
        log: entries with ``step`` and ``loss`` or ``validation_loss``, as a checkpoint's record has them.

    >>> found = curve_of([{"step": 1, "loss": 2.0}, {"step": 3, "loss": 1.0}, {"step": 3, "validation_loss": 1.5}])
    >>> found.series[0].path, found.rows[1]
    ('56.0,12.0 640.0,210.0', ('3', '1.000', '1.500'))
    """
    known = {key: [(one["step"], one[key]) for one in log if one.get(key) is not None] for key in SERIES}
    points = [point for series in known.values() for point in series]
    if not points:
        return None
    steps, losses = zip(*points, strict=True)
    low, high = (min(steps), min(losses)), (max(steps), max(losses))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        ends = zip(point, low, high, strict=True)
        across, up = ((value - least) / ((most - least) or 1) for value, least, most in ends)
        return round(LEFT + across * (WIDTH - LEFT), 1), round(HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP), 1)

    series = tuple(Series(name, tuple(map(place, known[key]))) for key, name in SERIES.items() if known[key])
    training, validation = (dict(known[key]) for key in SERIES)
    rows = tuple((f"{step:,}", _text(training.get(step)), _text(validation.get(step))) for step in sorted(set(steps)))
    return Curve(series, f"{low[0]:,}", f"{high[0]:,}", _text(low[1]), _text(high[1]), rows)


def _text(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3f}"
