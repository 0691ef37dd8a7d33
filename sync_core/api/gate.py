"""What every request passes on its way in and out: how often, how large, and headers of safety."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_core.api import problems, rate
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError

ENCRYPTED = "max-age=31536000"  # a year, for which browsers ask by https:// alone
READ_BY_SCRIPTS = "_streamlit_xsrf="  # the one cookie that scripts of the pages must read
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}


class Gate:
    """Stands before an app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request that is one too many or too large; else pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        send = safely(scope, send, HEADERS)
        try:
            rate.require(request)
            _refuse_large(request)
            _refuse_nul(request)
        except SyncError as error:
            await problems.answer(request, error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refuse_large(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > problems.MAX_BODY:
        raise SyncError("too_much_sent", limit=problems.MAX_BODY)


def _refuse_nul(request: Request) -> None:
    """Refuse the one character that Postgres keeps in no text."""
    if "%00" in request.url.query:
        raise SyncError("bad_request", what="it holds the character NUL")


def safely(scope: Scope, send: Send, headers: Mapping[str, str]) -> Send:
    """Let answers go out with these headers, where they have none, and with careful cookies."""
    encrypted = _is_encrypted(scope)

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            for name, value in headers.items():
                found.setdefault(name, value)
            if encrypted:
                found.setdefault("strict-transport-security", ENCRYPTED)
            message["headers"] = [
                (name, _careful(value, encrypted) if name.lower() == b"set-cookie" else value)
                for name, value in found.raw
            ]
        await send(message)

    return with_headers


def _is_encrypted(scope: Scope) -> bool:
    """Return whether people come by TLS: to this server, or to a proxy that stands before it."""
    address = settings.current().address or ""
    return scope["scheme"] == "https" or address.startswith("https://")


def _careful(cookie: bytes, encrypted: bool) -> bytes:  # noqa: FBT001 - of the request
    """Add what keeps a cookie from scripts, other sites and the open network."""
    text = cookie.decode("latin-1")
    flags = {part.strip().partition("=")[0].lower() for part in text.split(";")[1:]}
    wanted = {
        "HttpOnly": not text.startswith(READ_BY_SCRIPTS),
        "SameSite=Lax": True,
        "Secure": encrypted,
    }
    missing = [f for f, on in wanted.items() if on and f.partition("=")[0].lower() not in flags]
    return "; ".join([text, *missing]).encode("latin-1")
