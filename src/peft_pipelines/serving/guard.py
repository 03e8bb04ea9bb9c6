"""Who may ask the endpoint: on the loopback address only this machine's own programs, elsewhere who has the token."""

import ipaddress
import secrets
from typing import Final
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from peft_pipelines.serving.api_error import ApiError

UNAUTHORIZED, FORBIDDEN = 401, 403
HEALTH: Final = "/health"
"""The path that needs no token: it tells nothing but that the server is there."""


class Guard:
    """Refuses requests before any route sees them.

    A page in a browser can send requests to this machine's loopback address, and by a name of its own that resolves
    to it (DNS rebinding) also read the answers. Such requests carry that name as their host, or the page's as their
    origin.

    Args:
        app: what is guarded.
        loopback: whether the server listens on a loopback address.
        token: what each request must have as its bearer token; None for no token.
    """

    def __init__(self, app: ASGIApp, *, loopback: bool, token: str | None) -> None:
        self._app, self._loopback, self._token = app, loopback, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refused = self._refused(Headers(scope=scope), scope["path"]) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await response_of(refused)(scope, receive, send)

    def _refused(self, headers: Headers, path: str) -> ApiError | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if self._loopback and not (len(hosts) == 1 and is_loopback(_name_of(hosts[0]))):
            return ApiError(FORBIDDEN, "the Host header must name a loopback address, such as localhost", "wrong_host")
        if self._loopback and any(origin != f"http://{hosts[0]}" for origin in origins):
            return ApiError(FORBIDDEN, "requests of pages of other origins are refused", "wrong_origin")
        if self._token is not None and path != HEALTH and not _has(headers, self._token):
            return ApiError(UNAUTHORIZED, "the header must be 'Authorization: Bearer TOKEN'", "invalid_api_key")
        return None


def response_of(error: ApiError) -> JSONResponse:
    """Return the response that tells of an error."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == UNAUTHORIZED else None
    return JSONResponse(error.body(), error.status, headers)


def is_loopback(name: str) -> bool:
    """Return whether a name or an address is this machine's own.

    >>> [is_loopback(name) for name in ("localhost", "127.0.0.1", "::1", "127.0.0.1.example.org", "0.0.0.0")]
    [True, True, True, False, False]
    """
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """The name or address in a Host header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _has(headers: Headers, token: str) -> bool:
    """Whether the one Authorization header has the token; the time that this takes tells nothing about it."""
    given = headers.getlist("authorization")
    return len(given) == 1 and secrets.compare_digest(given[0].encode(), f"Bearer {token}".encode())
