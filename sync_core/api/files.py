"""The files: the audit trail, what a run did, its rejects and log, a record's history, proofs."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path as File
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query
from redis import RedisError
from starlette.requests import Request
from starlette.responses import Response

from sync_core import runs
from sync_core.analytics import analyses
from sync_core.api import addresses, prepared
from sync_core.api.asked import Number, Whole
from sync_core.api.callers import By, Seat
from sync_core.api.download import Download, file_headers
from sync_core.api.sample import RESOURCE
from sync_core.audit import exports, proof_check
from sync_core.audit.exports import Export
from sync_core.catalogue import resources
from sync_core.catalogue.fields import YesNo
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db, searching
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.records.rows import View
from sync_core.runs import Run, filters

Short = Annotated[str | None, Query(description="short name of the organization")]
Bom = Annotated[str | None, Query(description="1: begin with a byte order mark, for a spreadsheet")]
PYTHON = "text/x-python"
MOST_ROWS = 2**31 - 1  # that the number of a row can be


routes = APIRouter(tags=["files"])


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
    for name in ("since", "until"):
        _moment(request.query_params.get(name, ""))  # a file never tells more than was asked for
    seats = by.some([slug for slug in organizations.split(filters.SEPARATOR) if slug])
    whose = tuple(organization.id for organization, _ in seats)
    wanted = filters.from_address(request.query_params, whose)
    return Download(exports.trail(seats, wanted, bom=bom == "1"))


@_file(addresses.OUTCOMES)
def outcomes_of_run(
    by: By,
    run: Number,
    org: Short = None,
    missing: Annotated[
        str | None,
        Query(max_length=100, description="a table: its records that a plan misses in the source"),
    ] = None,
    bom: Bom = None,
) -> Response:
    """Return what a run did to each row, or the records that one which waits has not found."""
    seat = by.seat(org)
    if missing is None:
        return _of_run(exports.outcomes, seat, run, bom)
    found = _run(seat, run)
    entity = resources.entity(resources.by_name(found.resource), missing)
    return Download(exports.missing_records(*seat, found, entity, bom=bom == "1"))


@_file(addresses.REJECTS)
def rejects_of_run(
    by: By,
    run: Number,
    org: Short = None,
    skipped: Annotated[str | None, Query(description="1: the rows that a rule left out")] = None,
    bom: Bom = None,
) -> Response:
    """Return what is wrong with the failed rows of a run, or the rows that a rule left out."""
    return _of_run(partial(exports.rejects, skipped=skipped == "1"), by.seat(org), run, bom)


def _of_run(make: Callable[..., Export], seat: Seat, run: int, bom: str | None) -> Response:
    return Download(make(*seat, _run(seat, run), bom=bom == "1"))


def _run(seat: Seat, number: int) -> Run:
    with db.within(seat[0].id) as connection:
        return runs.get(connection, seat[0].id, number)


@_file(addresses.LOG, "text/plain")
def log_of_run(by: By, run: Number, org: Short = None) -> Response:
    """Return the log of a run as it is now, or as its attempts have left it."""
    seat = by.seat(org)
    try:
        return Download(exports.log(*seat, _run(seat, run)))
    except RedisError:
        raise SyncError("no_live_progress") from None


@_file(addresses.PROOF, exports.JSON)
def proof_of_row(
    by: By,
    run: Number,
    org: Short = None,
    entity: Annotated[str | None, Query(max_length=100, description="name of the table")] = None,
    row: Annotated[Whole | None, Query(ge=1, le=MOST_ROWS, description="row of the source")] = None,
    key: Annotated[list[str], Query(max_length=10, description="the parts of its key")] = [],  # noqa: B006 - FastAPI reads it
) -> Response:
    """Return the proof of what a run did to a row, for people who may see all of it."""
    seat = by.seat(org)
    keys = [KEY_SEPARATOR.join(key)] if key else []
    found = _run(seat, run)
    return Download(exports.proof(*seat, found, keys=keys, entity=entity, row_number=row))


@_file(addresses.PROOF_SCRIPT, PYTHON)
def script_for_proofs() -> Response:
    """Return the script that checks a proof, which needs nothing but Python."""
    headers = file_headers(addresses.PROOF_SCRIPT.rpartition("/")[2])
    return Response(File(proof_check.__file__).read_bytes(), media_type=PYTHON, headers=headers)


@_file(addresses.RECORDS)
def rows_of_table(
    by: By,
    entity: Annotated[str, Path(examples=[RESOURCE])],
    org: Short = None,
    search: Annotated[str, Query(description="words that occur in a row")] = "",
    only: Annotated[list[str], Query(description="a column and its value: city=Perth")] = [],  # noqa: B006 - FastAPI reads it
    sort: Annotated[str, Query(description="a column; -column: the last first")] = "",
    group: Annotated[str, Query(description="of patients: active, upcoming, archived")] = "",
    bom: Bom = None,
) -> Response:
    """Return the rows of a table that a search, filters and a group find."""
    if entity not in ENTITIES:
        raise SyncError("unknown_record", key="", table=entity)
    organization, person = by.seat(org)
    table = ENTITIES[entity]
    view = View(
        search=search,
        only=_only(table, only),
        order=sort.removeprefix("-") or None,
        descending=sort.startswith("-"),
        within=_within(table, group, organization, person) if group else None,
    )
    return Download(exports.records(organization, person, table, view, group, bom=bom == "1"))


def _within(
    entity: Entity, group: str, organization: Organization, person: Person
) -> sa.TextualSelect:
    resource = resources.of_entity(entity)
    found = analyses.group(resource, group, person) if entity == resource.main else None
    if found is None:
        raise SyncError("search_refused", what="a group that you may not see, or that is not known")
    return found.keys(organization.id)


def _only(entity: Entity, asked: Sequence[str]) -> dict[str, list[object]]:
    """Read the filters of an address: each a column and one of the values that may be in it."""
    columns = {field.column: field for field in entity.fields}
    found: dict[str, list[object]] = {}
    for one in asked:
        column, _, value = one.partition("=")
        field = columns.get(column)
        if isinstance(field, YesNo):
            found.setdefault(column, []).append(value == "True")
        elif field and isinstance(field.sql_type, sa.Text):
            found.setdefault(column, []).append(value)
        else:
            raise SyncError("search_refused", what=f"a filter that is none: {one}")
    return found


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


@_file(addresses.PREPARED)
def prepared_file(
    by: By,
    file: Annotated[str, Path(max_length=100, examples=["a-name-by-chance"])],
    org: Short = None,
) -> Response:
    """Return a table of a page, which names this address."""
    people.require(by.seat(org)[1], "export")
    return Download(prepared.take(by, file))


def _moment(text: str) -> datetime | None:
    """Read a moment of an address; None where there is none. Raises SyncError("search_refused")."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SyncError("search_refused", what="a time that is none") from None
    searching.require_near(at)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
