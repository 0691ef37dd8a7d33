"""The program of the pages, compressed: Streamlit sends its scripts and styles as they are.

Each is compressed when a browser first asks for it, and kept: its name says what is in it, so it
never changes, and there are only as many as Streamlit has brought. A file answers under any number
of other paths, too (`/static//js`, `/static/./js`); what is asked for under these is not kept.
"""

import asyncio
import gzip
import posixpath
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS = (".js", ".css")
CHANGED_BY_COMPRESSION = ("content-length", "etag", "accept-ranges")
OK = 200


@dataclass(frozen=True)
class _Answer:
    start: Message
    body: bytes
    is_whole: bool

    @property
    def may_be_kept(self) -> bool:
        said = Headers(raw=self.start["headers"]).get("cache-control", "")
        return self.start["status"] == OK and "immutable" in said and self.is_whole


class Compressed:
    """Stands before Streamlit's server."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, _Answer] = {}  # by path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with what is kept compressed, or pass on what is not for it."""
        if not _is_for_it(scope):
            await self._app(scope, receive, send)
            return
        answer = self._kept.get(scope["path"])
        if answer is None:
            answer = await self._ask(scope)
            if answer.may_be_kept:
                answer = await run_in_threadpool(_compress, answer)
                self._kept[scope["path"]] = answer
        await send({**answer.start, "headers": list(answer.start["headers"])})
        await send({"type": "http.response.body", "body": answer.body})

    async def _ask(self, scope: Scope) -> _Answer:
        """Ask for the whole answer, for everybody: who asked first may be gone before its end."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, _Asker(), keep)
        start, *parts = messages
        body = b"".join(part.get("body", b"") for part in parts)
        length = Headers(raw=start["headers"]).get("content-length", str(len(body)))
        has_end = bool(parts) and not parts[-1].get("more_body", False)
        return _Answer(start, body, is_whole=has_end and length == str(len(body)))


class _Asker:
    """Somebody who asks for a file, and does not go away."""

    def __init__(self) -> None:
        self._has_asked = False

    async def __call__(self) -> Message:
        if self._has_asked:
            await asyncio.Event().wait()
        self._has_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}


def _is_for_it(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    asked = Headers(scope=scope)
    is_whole = "range" not in asked and "if-none-match" not in asked
    path = scope["path"]
    is_one = path.endswith(KINDS) and path == posixpath.normpath(path)
    return is_one and is_whole and _takes_gzip(asked)


def _takes_gzip(asked: Headers) -> bool:
    """Return whether a browser accepts it: `gzip;q=0` says that it does not (RFC 9110, 12.5.3)."""
    codings = ",".join(asked.getlist("accept-encoding")).lower().split(",")
    weights = dict(map(_weighted, codings))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(coding: str) -> tuple[str, float]:
    name, _, weight = ("".join(coding.split())).partition(";q=")
    try:
        return name, float(weight or 1)
    except ValueError:
        return name, 0.0


def _compress(answer: _Answer) -> _Answer:
    body = gzip.compress(answer.body, mtime=0)
    start = {**answer.start, "headers": list(answer.start["headers"])}
    headers = MutableHeaders(scope=start)
    for name in CHANGED_BY_COMPRESSION:
        del headers[name]
    headers.update({"content-encoding": "gzip", "content-length": str(len(body))})
    headers.add_vary_header("Accept-Encoding")
    return _Answer(start, body, is_whole=True)
