"""Quantities for people: how long something takes, and how large it is."""

_MINUTE, _HOUR = 60, 3600
_THOUSAND = 1000
_SCALES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


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


def size(number: int) -> str:
    """Bytes for people.

    >>> size(0), size(999), size(1_500), size(2_345_000_000)
    ('0 B', '999 B', '1.5 kB', '2.3 GB')
    """
    if number < _THOUSAND:
        return f"{number} B"
    unit, scaled = next((unit, number / scale) for unit, scale in _SCALES if number >= scale)
    return f"{scaled:,.1f} {unit}"
