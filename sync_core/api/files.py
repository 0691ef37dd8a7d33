"""HTTP beside the pages: files as streams, for whoever is signed in to the pages.

A stream is read in a thread, waits for its reader, and is ended when the reader leaves, does not
take anything for a minute, or the server is to stop (an open stream would keep it from stopping).
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import wraps
from http import HTTPStatus
from types import FrameType
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from redis import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sync_core import organizations, runs
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.foundation import db, settings
from sync_core.foundation import redis_clients as kv
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs import Run, filters, progress

Handler = Callable[[int, FrameType | None], None]
Claims = Callable[[Request], Mapping[str, Any]]  # what the cookie of a request says, if it is ours

PATH = "/api/v1"
STALLED = 60  # seconds for which a reader may take nothing
STREAMS = 4  # at once, in this process
STATUS = {
    "no_permission": HTTPStatus.FORBIDDEN,
    "unknown_run": HTTPStatus.NOT_FOUND,
    "unknown_organization": HTTPStatus.NOT_FOUND,
}
OURS = frozenset({"same-origin", "none"})  # a link of ours, or an address that somebody typed
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-encoding": "identity",  # it is not squeezed on its way: that would cost more than COPY
}

_stop = asyncio.Event()
_streams: set["Download"] = set()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """End open streams when the server is asked to stop."""
    loop = asyncio.get_running_loop()
    _stop.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # in another thread than the main one, nobody asks by signals
            signal.signal(number, _stopping(loop, signal.getsignal(number)))
    yield
    _stop.set()


def _stopping(loop: asyncio.AbstractEventLoop, then: object) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(_stop.set)
        if callable(then):  # whatever handled it before
            then(number, frame)

    return handle


class Download(Response):
    """A file that is sent as it is written."""

    def __init__(self, export: Export) -> None:
        super().__init__(media_type="text/csv; charset=utf-8", headers=_file(export.file))
        del self.headers["content-length"]
        self._blocks = exports.write(export)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the blocks as fast as the reader takes them, and no faster."""
        ends = [asyncio.create_task(_left(receive)), asyncio.create_task(_stop.wait())]
        _streams.add(self)
        try:
            await send(self._start())
            while (block := await run_in_threadpool(next, self._blocks, None)) is not None:
                if not await _handed_over(send, block, ends):
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            _streams.discard(self)
            for task in ends:
                task.cancel()
            await asyncio.shield(run_in_threadpool(_close, self._blocks))

    def _start(self) -> MutableMapping[str, Any]:
        return {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }


def _file(name: str) -> dict[str, str]:
    """Give the headers of a file to be kept under this name."""
    file = quote(name)
    told = f"attachment; filename=\"{file}\"; filename*=UTF-8''{file}"
    return {**HEADERS, "content-disposition": told}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _handed_over(send: Send, block: bytes, ends: Sequence["asyncio.Task[Any]"]) -> bool:
    """Send a block; tells whether the reader has taken it and wants more."""
    sent = asyncio.ensure_future(
        send({"type": "http.response.body", "body": block, "more_body": True})
    )
    await asyncio.wait({sent, *ends}, timeout=STALLED, return_when=asyncio.FIRST_COMPLETED)
    if sent.done() and not any(task.done() for task in ends):
        sent.result()
        return True
    sent.cancel()
    return False


def _close(blocks: Iterator[bytes]) -> None:
    blocks.close()  # type: ignore[attr-defined]  # a generator; it writes its manifest now


# Who asks, and for what

Make = Callable[[Request, str], Response]  # for the person with this e-mail address


def routes(claims: Claims) -> list[Route]:
    """List the routes; `claims` reads the cookie of the pages."""
    files = {
        "/audit.csv": _trail,
        "/runs/{run:int}/outcomes.csv": _of_run(exports.outcomes),
        "/runs/{run:int}/rejects.csv": _of_run(exports.rejects),
        "/runs/{run:int}/log.txt": _log,
    }
    return [Route(PATH + path, _answer(make, claims)) for path, make in files.items()]


def _answer(make: Make, claims: Claims) -> Callable[[Request], Any]:
    @wraps(make)
    async def answer(request: Request) -> Response:
        if request.method != "GET":
            return _say(HTTPStatus.METHOD_NOT_ALLOWED, "A file can only be read.")
        if not _is_ours(request.headers):
            return _say(HTTPStatus.FORBIDDEN, "Another site has asked for this file.")
        address = people.signed_in(claims(request), settings.current().sign_in_age, time.time())
        if address is None:
            return _say(HTTPStatus.UNAUTHORIZED, "Sign in to Sync Desk first.")
        if len(_streams) >= STREAMS:
            return _say(HTTPStatus.SERVICE_UNAVAILABLE, "Too many files at once. Try again soon.")
        try:
            return await run_in_threadpool(make, request, address)
        except SyncError as error:
            status = STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
            return _say(status, f"{error.sentence} {error.advice}")

    return answer


def _say(status: HTTPStatus, sentence: str) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return PlainTextResponse(sentence, status, headers)


def _is_ours(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of ours asks, or a person directly; not a page of another site."""
    if site := headers.get("sec-fetch-site"):
        return site in OURS
    host = headers.get("host")
    asked_by = [headers[name] for name in ("origin", "referer") if name in headers]
    return all(urlsplit(address).netloc == host for address in asked_by)


def _askers(email: str, slugs: Sequence[str]) -> list[tuple[Organization, Person]]:
    """Give the organizations with who somebody is there; with no slug, all where they may export.

    Raises SyncError("unknown_organization") for one that does not know them.
    """
    with db.begin() as connection:
        known = {
            organization.slug: (organization, person)
            for organization in organizations.of(connection, email)
            if (person := people.find(connection, organization.id, email))
        }
    for slug in slugs:
        if slug not in known:
            raise SyncError("unknown_organization", slug=slug)
    return [asker for slug, asker in known.items() if slug in slugs or not slugs]


def _trail(request: Request, email: str) -> Response:
    asked = request.query_params
    named = [slug for slug in asked.get("organizations", "").split(filters.SEPARATOR) if slug]
    askers = _askers(email, named)
    if not named:
        askers = [(one, person) for one, person in askers if person.may("export")] or askers
    wanted = filters.from_address(asked, tuple(organization.id for organization, _ in askers))
    return Download(exports.trail(askers, wanted, bom=_bom(request)))


def _of_run(make: Callable[..., Export]) -> Make:
    def export(request: Request, email: str) -> Response:
        return Download(make(*_asked(request, email), bom=_bom(request)))

    return export


def _asked(request: Request, email: str) -> tuple[Organization, Person, Run]:
    """Give the run of an address, and who asks for it. Raises SyncError."""
    ((organization, person),) = _askers(email, [request.query_params.get("org", "")])
    with db.begin() as connection:
        run = runs.get(connection, organization.id, request.path_params["run"])
    return organization, person, run


def _log(request: Request, email: str) -> Response:
    """Give the log of a run as it is now, or as its attempts have left it."""
    organization, _, run = _asked(request, email)
    try:
        _, logs = progress.read(kv.client(), [run.id] if run.active else [])
    except RedisError:
        return _say(HTTPStatus.SERVICE_UNAVAILABLE, "Live progress is unavailable. Try again soon.")
    with db.begin() as connection:
        lines = logs.get(run.id) or runs.log(connection, run.id)
    text = progress.as_text(lines, ZoneInfo(organization.time_zone))
    return PlainTextResponse(text + "\n", headers=_file(f"{run.resource}-run-{run.id}.log"))


def _bom(request: Request) -> bool:
    return request.query_params.get("bom") == "1"
