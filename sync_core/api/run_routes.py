"""Runs over HTTP: start one, look at it, decide on its plan, cancel it, take it back."""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query
from redis import RedisError
from starlette.responses import Response

from sync_core import runs
from sync_core.api import addresses, shapes
from sync_core.api.asked import Ask, Number, OutcomeQuery, RunQuery, Whose
from sync_core.api.callers import By, Caller, Seat
from sync_core.api.shapes import OutcomePage, RunPage, RunShape
from sync_core.catalogue import resources
from sync_core.foundation import db, redis_clients
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind, Trigger
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.organizations.people import Permission
from sync_core.records import outcomes
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.runs import Run, progress
from sync_core.runs.filters import Filter
from sync_core.runs.once import Once
from sync_core.runs.progress import Progress

routes = APIRouter(tags=["runs"], prefix="/v1")

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="a text of your own: the same request with the same key, sent again within a"
        " day, answers with the run of the first",
    ),
]


Paused = Annotated[bool, Query(description="whether the schedule of its resource is paused, too")]


@routes.post("/runs", status_code=202)
def start_run(by: By, asked: Ask, answer: Response, key: Key = None) -> RunShape:
    """Start a sync or a preview. It runs by itself: follow it by its number."""
    organization, person = by.seat(asked.organization)
    resource = resources.by_name(asked.resource).name
    begin = syncs.preview if asked.kind == "preview" else syncs.start
    request = once(key, "start", organization.slug, resource, asked.kind)
    run = begin(organization, resource, person, Trigger.API, request=request)
    return accepted((organization, person), run, answer)


@routes.get("/runs")
def list_runs(by: By, asked: Annotated[RunQuery, Query()]) -> RunPage:
    """List runs, the newest first."""
    seats = {seat[0].id: seat for seat in map(by.seat, asked.organization or list(by.seats))}
    for _, person in seats.values():
        people.require(person, "read")
    wanted = Filter(organizations=tuple(seats), **asked.filters())
    limit, cursor = asked.limit, asked.cursor
    with db.within(*seats) as connection:
        found = runs.found(connection, wanted, limit + 1, cursor)
        page = found[:limit]
        counted = runs.tallies(connection, [run.id for run in page])
    told = [shapes.of_run(seats[r.organization_id][0], r, counted.get(r.id, {})) for r in page]
    return RunPage(runs=told, next=page[-1].id if len(found) > limit else None)


@routes.get("/runs/{run}")
def show_run(by: By, run: Number, organization: Whose = None) -> RunShape:
    """Tell how a run is, or how it ended."""
    (of, _), found = find(by, run, organization)
    return told(of_seat=(of, _), run=found)


@routes.post("/runs/{run}/confirm", status_code=202)
def confirm_run(
    by: By, run: Number, answer: Response, organization: Whose = None, key: Key = None
) -> RunShape:
    """Apply exactly the plan with which a run waits; this approves what a guard holds back."""
    seat, found = find(by, run, organization, "sync")
    request = once(key, "confirm", str(run))
    return accepted(seat, syncs.confirm(seat[0], found.id, seat[1], Trigger.API, request), answer)


@routes.post("/runs/{run}/undo", status_code=202)
def undo_run(
    by: By,
    run: Number,
    answer: Response,
    *,
    organization: Whose = None,
    pause_schedule: Paused = False,
    key: Key = None,
) -> RunShape:
    """Plan to take a run back: a run of its own, which waits until somebody confirms it."""
    seat, found = find(by, run, organization, "sync")
    request = once(key, "undo", str(run), *(["pause"] if pause_schedule else []))
    undo = syncs.undo(
        seat[0], found.id, seat[1], Trigger.API, request, pause_schedule=pause_schedule
    )
    return accepted(seat, undo, answer)


@routes.post("/runs/{run}/retry", status_code=202)
def retry_run(
    by: By, run: Number, answer: Response, organization: Whose = None, key: Key = None
) -> RunShape:
    """Read the source again, and sync only the rows that had failed in a run."""
    seat, found = find(by, run, organization, "sync")
    request = once(key, "retry", str(run))
    return accepted(seat, syncs.retry(seat[0], found.id, seat[1], Trigger.API, request), answer)


@routes.post("/runs/{run}/cancel")
def cancel_run(by: By, run: Number, organization: Whose = None) -> RunShape:
    """Cancel a run, or decline a plan that waits; to ask again changes nothing more.

    A run that has ended otherwise cannot be cancelled any more.
    """
    seat, found = find(by, run, organization, "sync")
    return told(seat, syncs.cancel(seat[0], found.id, seat[1]))


@routes.get("/runs/{run}/outcomes")
def outcomes_of(by: By, run: Number, asked: Annotated[OutcomeQuery, Query()]) -> OutcomePage:
    """Tell what a run did to each row that it did not leave unchanged, or would do."""
    (_, person), found = find(by, run, asked.organization)
    wanted = Wanted(
        tuple(asked.kind or OutcomeKind),
        asked.search,
        asked.entity,
        reason=asked.reason,
        limit=asked.limit,
        offset=asked.offset,
    )
    with db.within(found.organization_id) as connection:
        rows = outcomes.read(connection, found, wanted, person)
        total = outcomes.count(connection, found, wanted, person)
    return OutcomePage(outcomes=list(map(_outcome, rows)), total=total)


def _outcome(one: Outcome) -> shapes.OutcomeShape:
    return shapes.OutcomeShape(
        entity=one.entity,
        kind=OutcomeKind(one.kind),
        row=one.row_number,
        key=one.key,
        name=one.name,
        rule=one.rule,
        changes=one.changes,
        issues=[shapes.IssueShape(**issue.as_json()) for issue in one.issues],  # type: ignore[arg-type]
    )


def find(
    by: Caller, number: int, slug: str | None = None, to: Permission = "read"
) -> tuple[Seat, Run]:
    """Return a run with the organization that it is of, where who asks may do this in it.

    Raises SyncError: unknown_run, unknown_organization, no_permission, beyond_token.
    """
    seats: Sequence[Seat] = [by.seat(slug)] if slug else list(by.seats.values())
    with db.within(*(seat[0].id for seat in seats)) as connection:
        found = runs.some(connection, [number])
    for run in found:
        for seat in seats:
            if seat[0].id == run.organization_id:
                people.require(seat[1], to)
                return seat, run
    raise SyncError("unknown_run", run=number)


def told(of_seat: Seat, run: Run) -> RunShape:
    """Return a run as it is told, with its counts and, while it is on its way, its progress."""
    with db.within(run.organization_id) as connection:
        counted = runs.tallies(connection, [run.id]).get(run.id, {})
    return shapes.of_run(of_seat[0], run, counted, progress_of(run))


def progress_of(run: Run) -> Progress | None:
    """Return what a run on its way is doing; None where nobody knows it."""
    if not run.active:
        return None
    try:
        news, _ = progress.read(redis_clients.client(), [run.id])
    except RedisError:
        return None
    return news.get(run.id)


def once(key: str | None, *asked: str) -> Once | None:
    """Return a request that shall be granted once; None where the asker gives it no key."""
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return Once(key, digest) if key else None


def accepted(seat: Seat, run: Run, answer: Response) -> RunShape:
    """Return a run that was asked for, and say where it is found."""
    answer.headers["location"] = f"{addresses.PATH}/runs/{run.id}"
    return told(seat, run)
