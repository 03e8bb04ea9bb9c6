"""Who may see the board, and what a browser may do with its pages.

``serving.guard`` has refused other hosts and origins by then. Here a start token is exchanged for a cookie that no
script can read and that no other site's request carries; all else needs the cookie.
"""

import secrets
from collections.abc import MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi.responses import RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from peft_pipelines.board.pages import said

START: Final = "/start"
STATIC: Final = "/static/"
"""Style and scripts of the package: the same for everybody, so they need no cookie."""
READING: Final = ("GET", "HEAD")
FORBIDDEN, SEE_OTHER = 403, 303
NO_COOKIE: Final = "Open the address that kedro board has printed: it holds this board's token."
NO_ORIGIN: Final = "A request that changes something must come from a page of the board."
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of each response, where it does not give its own."""


class Gate:
    """Lets requests with the cookie pass, and those for the start with the token.

    Args:
        app: what is behind the gate.
        token: of the address that the board prints.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token, self._session = app, token, secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, answer it with the cookie, or refuse it in words."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        cookie = f"board_{connection.url.port}"  # a browser sends a cookie to each port of a host
        answer: ASGIApp = self._app
        if scope["path"] == START and _same(_token_in(scope), self._token):
            answer = RedirectResponse("/", SEE_OTHER)
            answer.set_cookie(cookie, self._session, httponly=True, samesite="strict")
        elif not scope["path"].startswith(STATIC):
            if not _same(connection.cookies.get(cookie, ""), self._session):
                answer = said(connection, NO_COOKIE, FORBIDDEN)
            elif scope["method"] not in READING and "origin" not in connection.headers:
                answer = said(connection, NO_ORIGIN, FORBIDDEN)
        await answer(scope, receive, send)


def _token_in(scope: Scope) -> str:
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
    return given[0] if len(given) == 1 else ""


def _same(one: str, other: str) -> bool:
    """Whether two secrets are the same; the time that this takes tells nothing about them."""
    return secrets.compare_digest(one.encode(), other.encode())


class SafeHeaders:
    """Adds the headers that bind a browser to every response that lacks them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response with the headers."""

        async def safe(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safe)
