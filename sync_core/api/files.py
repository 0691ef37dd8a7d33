"""The files: the audit trail, a run's outcomes, rejects and log, a record's history."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from redis import RedisError
from starlette.requests import Request
from starlette.responses import Response

from sync_core import runs
from sync_core.api import addresses
from sync_core.api.asked import Number
from sync_core.api.callers import By, Seat
from sync_core.api.download import MAX_STREAMS, Download, open_streams
from sync_core.api.sample import RESOURCE
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.runs import Run, filters

Short = Annotated[str | None, Query(description="short name of the organization")]
Bom = Annotated[str | None, Query(description="1: begin with a byte order mark, for a spreadsheet")]


def _not_too_many() -> None:
    if len(open_streams) >= MAX_STREAMS:
        raise SyncError("too_many_files")


routes = APIRouter(tags=["files"], dependencies=[Depends(_not_too_many)])


def _file(path: str, media_type: str = "text/csv") -> Callable[[Any], Any]:
    """Declare an address of a file."""
    content: dict[int | str, dict[str, Any]] = {
        200: {"content": {media_type: {"schema": {"type": "string"}}}}
    }
    return routes.get(path.removeprefix(addresses.ROOT), response_class=Response, responses=content)


@_file(addresses.TRAIL)
def audit_trail(
    request: Request,
    by: By,
    organizations: Annotated[str, Query(description="short names, commas between them")] = "",
    bom: Bom = None,
) -> Response:
    """Return the audit trail; the other parameters filter it as on its page."""
    seats = by.some([slug for slug in organizations.split(filters.SEPARATOR) if slug])
    whose = tuple(organization.id for organization, _ in seats)
    wanted = filters.from_address(request.query_params, whose)
    return Download(exports.trail(seats, wanted, bom=bom == "1"))


@_file(addresses.OUTCOMES)
def outcomes_of_run(by: By, run: Number, org: Short = None, bom: Bom = None) -> Response:
    """Return what a run did to each row."""
    return _of_run(exports.outcomes, by.seat(org), run, bom)


@_file(addresses.REJECTS)
def rejects_of_run(by: By, run: Number, org: Short = None, bom: Bom = None) -> Response:
    """Return the rows of a run that did not make it, with their reasons."""
    return _of_run(exports.rejects, by.seat(org), run, bom)


def _of_run(make: Callable[..., Export], seat: Seat, run: int, bom: str | None) -> Response:
    return Download(make(*seat, _run(seat, run), bom=bom == "1"))


def _run(seat: Seat, number: int) -> Run:
    with db.begin() as connection:
        return runs.get(connection, seat[0].id, number)


@_file(addresses.LOG, "text/plain")
def log_of_run(by: By, run: Number, org: Short = None) -> Response:
    """Return the log of a run as it is now, or as its attempts have left it."""
    seat = by.seat(org)
    try:
        return Download(exports.log(*seat, _run(seat, run)))
    except RedisError:
        raise SyncError("no_live_progress") from None


@_file(addresses.RECORD)
def history_of_record(
    by: By,
    entity: Annotated[str, Path(examples=[RESOURCE])],
    key: Annotated[list[str], Query(description="the parts of its key", examples=[["T-0104"]])],
    org: Short = None,
    as_of: Annotated[str, Query(description="a moment, ISO 8601: what it was then")] = "",
    bom: Bom = None,
) -> Response:
    """Return the history of a record, or what it was at a moment."""
    if entity not in ENTITIES:
        raise SyncError("unknown_record", key=" · ".join(key), table=entity)
    asked = exports.record(*by.seat(org), ENTITIES[entity], key, _moment(as_of), bom=bom == "1")
    return Download(asked)


def _moment(text: str) -> datetime | None:
    """Read a moment of an address; None where there is none, or what is there is no moment."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
