"""What every request of the pages passes: headers of safety, and Streamlit's doors that are closed.

Streamlit's server tells everybody its figures, takes files from everybody, and lets whoever opens
a page empty the caches of all. Here its figures are a monitor's, files come from people who are
signed in, and only the messages get through that pages of ours need.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_core.api import callers, gate, operating, problems
from sync_core.api.callers import Claims
from sync_core.api.compressed import Compressed
from sync_core.foundation.errors import SyncError

FIGURES = "/_stcore/metrics"
UPLOADS = "/_stcore/upload_file"
UNUSED = ("/_stcore/agent", "/_stcore/script-health-check")  # they would run pages for anybody
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",  # for browsers that do not know frame-ancestors
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

log = logging.getLogger("syncdesk.pages")

Needs = Callable[[bytes], bool]  # whether pages of ours need a message of a browser
Elsewhere = Callable[[str], str | None]  # path -> where its page is, if not there
Links = Callable[[str], str]  # path -> what its page will ask for, as a header has it


def around(
    claims: Claims, needs: Needs, content_policy: str, elsewhere: Elsewhere, links: Links
) -> list[Middleware]:
    """Return what stands before the pages."""
    gate_of_pages = Middleware(PageGate, claims, needs, content_policy, elsewhere, links)
    return [gate_of_pages, Middleware(Compressed)]


class PageGate:
    """Stands before Streamlit's server."""

    def __init__(
        self,
        app: ASGIApp,
        claims: Claims,
        needs: Needs,
        content_policy: str,
        elsewhere: Elsewhere,
        links: Links,
    ) -> None:
        self._app, self._claims, self._needs, self._elsewhere = app, claims, needs, elsewhere
        self._links = links
        self._headers = {**HEADERS, "content-security-policy": content_policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is let in."""
        if scope["type"] == "websocket":
            if callers.server_of(Headers(scope=scope).get("origin", "")) is None:
                await send({"type": "websocket.close"})  # Streamlit would fail of it
                return
            receive = self._sifted(receive)
        if scope["type"] == "http":
            send = gate.safely(scope, send, self._headers_of(Request(scope)))
            try:
                await self._look(Request(scope))
            except SyncError as error:
                answer = problems.answer(Request(scope), error)
                await answer(scope, receive, send)
                return
            if there := self._page_elsewhere(Request(scope)):
                await RedirectResponse(there, HTTPStatus.FOUND)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _headers_of(self, request: Request) -> dict[str, str]:
        links = self._links(request.scope["path"]) if _is_page(request) else ""
        return {**self._headers, "link": links} if links else self._headers

    async def _look(self, request: Request) -> None:
        """Raise SyncError where the request is for a door that is closed to who asks."""
        path = request.scope["path"]
        if any(door in path for door in UNUSED):
            raise SyncError("no_such_address", path=path)
        if FIGURES in path and not operating.is_monitor(request):
            raise SyncError("no_such_address", path=path)
        if UPLOADS in path:
            await run_in_threadpool(callers.by_cookie, request, self._claims)

    def _page_elsewhere(self, request: Request) -> str | None:
        """Return where somebody is led who asks for a page at an address that has none."""
        there = self._elsewhere(request.scope["path"]) if _is_page(request) else None
        more = f"{'&' if '?' in there else '?'}{request.url.query}" if there else ""
        return f"{there}{more}".rstrip("?&") if there else None

    def _sifted(self, receive: Receive) -> Receive:
        async def needed() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or self._needs(
                    message.get("bytes") or b""
                ):
                    return message
                log.warning("a browser sent what no page of ours sends; it was dropped")

        return needed


def _is_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
