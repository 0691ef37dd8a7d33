"""What went wrong, as problem+json (RFC 9457): our code with its sentence and its advice."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MAX_BODY = 100_000  # bytes of a request
STATUS = {  # by the code of the error; what is not named is a request that cannot be granted
    "unexpected": HTTPStatus.INTERNAL_SERVER_ERROR,
    "database_crowded": HTTPStatus.SERVICE_UNAVAILABLE,
    "database_down": HTTPStatus.SERVICE_UNAVAILABLE,
    "database_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "took_too_long": HTTPStatus.SERVICE_UNAVAILABLE,
    "no_live_progress": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_streams": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_files": HTTPStatus.SERVICE_UNAVAILABLE,
    "probes_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "not_signed_in": HTTPStatus.UNAUTHORIZED,
    "bad_token": HTTPStatus.UNAUTHORIZED,
    "bad_sign_in": HTTPStatus.UNAUTHORIZED,
    "address_not_verified": HTTPStatus.UNAUTHORIZED,
    "sign_in_ended": HTTPStatus.UNAUTHORIZED,
    "another_account": HTTPStatus.FORBIDDEN,
    "not_a_monitor": HTTPStatus.UNAUTHORIZED,
    "no_permission": HTTPStatus.FORBIDDEN,
    "beyond_token": HTTPStatus.FORBIDDEN,
    "unknown_person": HTTPStatus.FORBIDDEN,
    "another_site": HTTPStatus.FORBIDDEN,
    "own_approval": HTTPStatus.FORBIDDEN,
    "four_eyes": HTTPStatus.FORBIDDEN,
    "no_such_address": HTTPStatus.NOT_FOUND,
    "bad_mail_link": HTTPStatus.NOT_FOUND,
    "unknown_file": HTTPStatus.NOT_FOUND,
    "unknown_run": HTTPStatus.NOT_FOUND,
    "unknown_record": HTTPStatus.NOT_FOUND,
    "unknown_organization": HTTPStatus.NOT_FOUND,
    "unknown_resource": HTTPStatus.NOT_FOUND,
    "unknown_table": HTTPStatus.NOT_FOUND,
    "unknown_entity": HTTPStatus.NOT_FOUND,
    "no_schedule": HTTPStatus.NOT_FOUND,
    "wrong_method": HTTPStatus.METHOD_NOT_ALLOWED,
    "already_running": HTTPStatus.CONFLICT,
    "no_source": HTTPStatus.CONFLICT,
    "source_not_allowed": HTTPStatus.CONFLICT,
    "already_syncing_all": HTTPStatus.CONFLICT,
    "nothing_to_sync": HTTPStatus.CONFLICT,
    "nothing_to_decide": HTTPStatus.CONFLICT,
    "already_ended": HTTPStatus.CONFLICT,
    "key_used": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_to_retry": HTTPStatus.CONFLICT,
    "already_fixed": HTTPStatus.CONFLICT,
    "read_by_later_sync": HTTPStatus.CONFLICT,
    "nothing_to_undo": HTTPStatus.CONFLICT,
    "upload_lost": HTTPStatus.CONFLICT,
    "too_much_sent": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "cooldown": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_requests": HTTPStatus.TOO_MANY_REQUESTS,
}

log = logging.getLogger("syncdesk.api")


class Mistake(BaseModel):
    """What is wrong in one place of a request."""

    where: str = Field(description="the place in the request", examples=["body.resource"])
    what: str = Field(description="what is wrong there", examples=["Field required"])


class Problem(BaseModel):
    """Why something cannot be done: a stable code, a sentence, and what to do."""

    type: str = Field("about:blank", description="always about:blank: `code` tells the kind")
    title: str = Field(description="the phrase of the HTTP status", examples=["Conflict"])
    status: int = Field(description="the HTTP status", examples=[409])
    detail: str = Field(
        description="what is wrong, as a sentence", examples=["Sarah Lim started this 4 s ago."]
    )
    code: str = Field(description="the stable code of the error", examples=["already_running"])
    advice: str = Field(description="what to do", examples=["Follow run 1042; it is running."])
    retry: bool = Field(description="whether the same request may succeed later", examples=[False])
    run: int | None = Field(
        None, description="the run of which the sentence speaks", examples=[1042]
    )
    mistakes: list[Mistake] = Field([], description="of a request that cannot be read")


def of(error: SyncError, mistakes: Sequence[Mistake] = ()) -> Problem:
    """Return an error as it is told."""
    status = _status(error)
    run = error.facts.get("run")
    return Problem(
        type="about:blank",
        title=status.phrase,
        status=status,
        detail=error.sentence,
        code=error.code,
        advice=error.advice,
        retry=error.entry.retry,
        run=run if isinstance(run, int) else None,
        mistakes=list(mistakes),
    )


def answer(
    asked: HTTPConnection,
    error: SyncError,
    *,
    headers: Mapping[str, str] | None = None,
    mistakes: Sequence[Mistake] = (),
) -> Response:
    """Return the answer for an error: problem+json, or its words for somebody at a browser."""
    status = _status(error)
    more = {**_headers(error, status), **(headers or {})}
    if "text/html" in asked.headers.get("accept", ""):
        return PlainTextResponse(f"{error.sentence} {error.advice}", status, more)
    return JSONResponse(of(error, mistakes).model_dump(), status, more, MEDIA_TYPE)


def _status(error: SyncError) -> HTTPStatus:
    return STATUS.get(error.code, HTTPStatus.BAD_REQUEST)


def _headers(error: SyncError, status: HTTPStatus) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"www-authenticate": "Bearer"}
    seconds = error.facts.get("seconds")
    return {"retry-after": str(seconds)} if isinstance(seconds, int) else {}


async def refused(request: Request, error: Exception) -> Response:
    """Answer for what was refused by a rule of ours."""
    if not isinstance(error, SyncError):
        raise TypeError from error
    return answer(request, error)


async def of_http(request: Request, error: Exception) -> Response:
    """Answer for what HTTP itself refuses; its headers stay (Allow)."""
    if not isinstance(error, HTTPException):
        raise TypeError from error
    path, headers = request.scope["path"], error.headers
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            told = SyncError("no_such_address", path=path)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            told = SyncError("wrong_method", path=path, method=request.method)
            headers = {"allow": ", ".join(_methods(request))}
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            told = SyncError("too_much_sent", limit=MAX_BODY)
        case _:
            told = SyncError("bad_request", what=error.detail)
    return answer(request, told, headers=headers)


def _methods(request: Request) -> list[str]:
    """Return the methods that the address takes; each may be a route of its own."""
    routes = request.scope["app"].routes
    return [
        method
        for method in METHODS
        if any(one.matches({**request.scope, "method": method})[0] == Match.FULL for one in routes)
    ]


async def of_mistakes(request: Request, error: Exception) -> Response:
    """Answer for a request whose parts are not what the address takes."""
    if not isinstance(error, RequestValidationError):
        raise TypeError from error
    found = [
        Mistake(where=".".join(map(str, one["loc"])), what=one["msg"]) for one in error.errors()
    ]
    told = SyncError("bad_request", what="; ".join(f"{m.where}: {m.what}" for m in found))
    return answer(request, told, mistakes=found)


async def unexpected(request: Request, error: Exception) -> Response:
    """Answer for what nobody foresaw: the trace goes to the log, never to the caller."""
    told = db.as_sync_error(error)
    if told is None:
        log.error("%s %s", request.method, request.scope["path"], exc_info=error)
    return answer(request, told or SyncError("unexpected"))
