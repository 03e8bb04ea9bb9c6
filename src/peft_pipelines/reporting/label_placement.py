"""Placement of the names of points in a plot, so that they can be read."""

from collections.abc import Sequence

Place = tuple[float, float]
"""Across and up, each from 0 to 1 of the plot's own area."""
Box = tuple[float, float, float, float]
"""The middle, half the width and half the height, in pixels."""

WIDTH, HEIGHT = 900, 360
"""Pixels that a plot's area is taken to have."""
LETTER, LINE, DOT = 7.5, 15.0, 7.0
SIDES = {"left": -1, "center": 0, "right": 1, "bottom": -1, "middle": 0, "top": 1}
# above and beneath a dot stands its error bar; a line of what nothing beats rises to the right
POSITIONS = ("bottom right", "middle right", "top left", "middle left", "top right", "bottom left", "top center")


def positions(places: Sequence[Place], names: Sequence[str], lines: Sequence[float] = ()) -> list[str]:
    """For each point the side on which its name overlaps fewest names, points and lines across, in plotly's words.

    Args:
        places: where the points are.
        names: what they are called.
        lines: the heights of lines across, from 0 to 1.

    >>> positions([(0.5, 0.5), (0.52, 0.5)], ["one", "two"])
    ['bottom right', 'top left']
    """
    dots = [(x * WIDTH, y * HEIGHT, DOT, DOT) for x, y in places]
    taken: list[Box] = [*dots, *((WIDTH / 2, height * HEIGHT, WIDTH / 2, 1.0) for height in lines)]
    found = []
    for dot, name in zip(dots, names, strict=True):
        boxes = {position: _box(dot, name, position) for position in POSITIONS}
        best = min(POSITIONS, key=lambda position: _overlaps(boxes[position], [box for box in taken if box != dot]))
        taken.append(boxes[best])
        found.append(best)
    return found


def _box(dot: Box, name: str, position: str) -> Box:
    vertical, horizontal = (SIDES[word] for word in position.split())
    half = len(name) * LETTER / 2
    return dot[0] + horizontal * (half + DOT), dot[1] + vertical * (LINE / 2 + DOT), half, LINE / 2


def _overlaps(box: Box, others: Sequence[Box]) -> int:
    """Count of the boxes that it overlaps; to leave the plot is as bad as two."""
    x, y, width, height = box
    outside = 2 * (x - width < 0)
    return outside + sum(abs(x - a) < width + w and abs(y - b) < height + h for a, b, w, h in others)


def beside(names: Sequence[str], heights: Sequence[float], least: float) -> list[tuple[str, float]]:
    """One text for the lines that lie closer than ``least`` to the one beneath, at their mean height, highest first.

    >>> beside(["a", "b", "c"], [1.0, 9.0, 1.5], 1.0)
    [('c<br>a', 1.25), ('b', 9.0)]
    """
    texts: list[list[tuple[float, str]]] = []
    for height, name in sorted(zip(heights, names, strict=True)):
        if texts and height - texts[-1][-1][0] < least:
            texts[-1].append((height, name))
        else:
            texts.append([(height, name)])
    return [
        ("<br>".join(name for _, name in reversed(part)), sum(height for height, _ in part) / len(part))
        for part in texts
    ]
