"""What every request passes on its way in and out: how often, how large, and headers of safety."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_core.api import problems, rate
from sync_core.foundation.errors import SyncError

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
        try:
            rate.require(request)
            _refuse_large(request)
            _refuse_nul(request)
        except SyncError as error:
            await problems.answer(request, error)(scope, receive, _safely(send))
        else:
            await self._app(scope, receive, _safely(send))


def _refuse_large(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > problems.MAX_BODY:
        raise SyncError("too_much_sent", limit=problems.MAX_BODY)


def _refuse_nul(request: Request) -> None:
    """Refuse the one character that Postgres keeps in no text."""
    if "%00" in request.url.query:
        raise SyncError("bad_request", what="it holds the character NUL")


def _safely(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers
