"""Quantities for people: how long something takes."""

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.4), duration(34.2), duration(754), duration(11_100)
    ('under 1 s', '34 s', '12 min 34 s', '3 h 05 min')
    """
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s" if whole else "under 1 s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
