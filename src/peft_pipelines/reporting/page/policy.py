"""The page's Content-Security-Policy: what a browser may run on it, whatever text stands in it."""

import base64
import hashlib
from collections.abc import Iterable

PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-gG0b4ixT/IQUp7JJLbyKcpYcYDjq2Wp8NGv3f+aasqo='",
)
"""The style elements that plotly 5.24 itself makes: an empty one, and that of its maps, of which the page has none."""


def policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """The policy of a page with these inline blocks: they run by their digests, and nothing else does.

    No address may be asked for anything, no form may be sent, and neither ``eval`` nor an attribute (``onclick``,
    ``style``) is obeyed. Images may stand in the page itself (``data:``): plotly looks by one whether WebP is known.

    >>> policy(["alert(1)"], []).split("; ")[1]
    "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    directives = {
        "default-src": ["'none'"],
        "script-src": map(_digest, scripts),
        "style-src": [*map(_digest, styles), *PLOTLY_STYLES],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
