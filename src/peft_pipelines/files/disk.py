"""Errors of the disk: full, not to be written to, or not a folder at all; in one line, whichever library met them."""

import errno
import os
from collections.abc import Iterator

CODES = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EIO, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE),
)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""Those that meet every later file as well."""


def line(error: BaseException, codes: tuple[int, ...] = CODES) -> str | None:
    """Return the error of the disk that is behind an exception, with the file where it is known; None if there is none.

    Libraries that write by themselves hand on the system's words alone, so these are looked for too.

    >>> line(OSError(errno.ENOSPC, "No space left on device", "/store/metrics.json"))
    "No space left on device: '/store/metrics.json'"
    >>> line(RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"))
    'No space left on device'
    >>> line(ValueError("no")) is None
    True
    """
    causes = list(behind(error))
    for each in causes:
        if isinstance(each, OSError) and each.errno in codes:
            file = f": '{each.filename!s:.300}'" if each.filename else ""
            return f"{each.strerror or os.strerror(each.errno)}{file}"
    words = [os.strerror(code) for code in FULL]
    return next((text for each in causes for text in words if text in str(each)), None)


def behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from or while handling."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
