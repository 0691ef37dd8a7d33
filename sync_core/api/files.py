"""The routes of files: the audit trail, a run's outcomes, rejects and log, a record's history."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Any

from redis import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync_core import runs
from sync_core.api import addresses
from sync_core.api.callers import Claims, callers_of, comes_from_us
from sync_core.api.download import MAX_STREAMS, Download, open_streams
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs import Run, filters

HTTP_STATUS = {  # by the code of the error
    "no_permission": HTTPStatus.FORBIDDEN,
    "unknown_person": HTTPStatus.FORBIDDEN,
    "no_live_progress": HTTPStatus.SERVICE_UNAVAILABLE,
    "unknown_run": HTTPStatus.NOT_FOUND,
    "unknown_record": HTTPStatus.NOT_FOUND,
    "unknown_organization": HTTPStatus.NOT_FOUND,
}


# Who asks, and for what

Handler = Callable[[Request, str], Response]  # for the person with this e-mail address


def routes(claims: Claims) -> list[Route]:
    """Return the routes; `claims` reads the cookie of the pages."""
    files = {
        addresses.TRAIL: _trail,
        addresses.OUTCOMES: _of_run(exports.outcomes),
        addresses.REJECTS: _of_run(exports.rejects),
        addresses.LOG: _log,
        addresses.RECORD: _record,
    }
    return [Route(path, _endpoint(handler, claims)) for path, handler in files.items()]


def _endpoint(handler: Handler, claims: Claims) -> Callable[[Request], Any]:
    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        if request.method != "GET":
            return _sentence(HTTPStatus.METHOD_NOT_ALLOWED, "A file can only be read.")
        if not comes_from_us(request.headers):
            return _sentence(HTTPStatus.FORBIDDEN, "Another site has asked for this file.")
        address = people.signed_in(claims(request), settings.current().sign_in_age, time.time())
        if address is None:
            return _sentence(HTTPStatus.UNAUTHORIZED, "Sign in to Sync Desk first.")
        if len(open_streams) >= MAX_STREAMS:
            return _sentence(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many files at once. Try again soon."
            )
        try:
            return await run_in_threadpool(handler, request, address)
        except SyncError as error:
            status = HTTP_STATUS.get(error.code, HTTPStatus.BAD_REQUEST)
            return _sentence(status, f"{error.sentence} {error.advice}")

    return endpoint


def _sentence(status: HTTPStatus, sentence: str) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return PlainTextResponse(sentence, status, headers)


def _trail(request: Request, email: str) -> Response:
    asked = request.query_params
    named = [slug for slug in asked.get("organizations", "").split(filters.SEPARATOR) if slug]
    asked_by = callers_of(email, named)
    if not named:
        asked_by = [
            (organization, by) for organization, by in asked_by if by.may("export")
        ] or asked_by
    wanted = filters.from_address(asked, tuple(organization.id for organization, _ in asked_by))
    return Download(exports.trail(asked_by, wanted, bom=_bom(request)))


def _of_run(make: Callable[..., Export]) -> Handler:
    def export(request: Request, email: str) -> Response:
        return Download(make(*_run_and_caller(request, email), bom=_bom(request)))

    return export


def _run_and_caller(request: Request, email: str) -> tuple[Organization, Person, Run]:
    """Return the run of an address, and who asks for it. Raises SyncError."""
    ((organization, person),) = callers_of(email, [request.query_params.get("org", "")])
    with db.begin() as connection:
        run = runs.get(connection, organization.id, request.path_params["run"])
    return organization, person, run


def _log(request: Request, email: str) -> Response:
    """Return the log of a run as it is now, or as its attempts have left it."""
    try:
        return Download(exports.log(*_run_and_caller(request, email)))
    except RedisError:
        raise SyncError("no_live_progress") from None


def _record(request: Request, email: str) -> Response:
    """Return the history of a record, or what it was at a moment."""
    ((organization, person),) = callers_of(email, [request.query_params.get("org", "")])
    name, key = request.path_params["entity"], request.query_params.getlist("key")
    if name not in ENTITIES:
        raise SyncError("unknown_record", key=" · ".join(key), table=name)
    as_of = _moment(request.query_params.get("as_of", ""))
    entity, bom = ENTITIES[name], _bom(request)
    return Download(exports.record(organization, person, entity, key, as_of, bom=bom))


def _moment(text: str) -> datetime | None:
    """Read a moment of an address; None where there is none, or what is there is no moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _bom(request: Request) -> bool:
    return request.query_params.get("bom") == "1"
