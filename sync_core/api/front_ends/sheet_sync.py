"""The addresses of a front end of sheets: sync them in the background, or wait until it is done.

Its one sync is of all sheets: each resource that is read from a sheet or a file has a run of its
own, after those to which its rows refer, and a `syncId` stands for all of them. With `resource` it
is that one's alone.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sync_core import runs
from sync_core.api import live, stopping
from sync_core.api.asked import Whose
from sync_core.api.callers import By, Seat
from sync_core.api.front_ends import words
from sync_core.api.front_ends.starting import ALREADY, start_or_join
from sync_core.api.front_ends.words import SheetState
from sync_core.api.live import View
from sync_core.api.run_routes import Key, once
from sync_core.api.sample import RESOURCE
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import syncs
from sync_core.organizations import people, source_settings
from sync_core.runs import Run, batches, run_number, traffic
from sync_core.runs.batches import Batch, Part

routes = APIRouter(tags=["sheet sync"])
STARTED = "Background sync started"
GOES_ON = "The sync continues in the background: ask for its status by its syncId."
LONGEST = 300.0  # seconds that an answer waits for the end of a sync
LIFE_SECONDS = 10.0  # between two signs of life of such an answer
PAUSE = 0.3  # seconds until it is looked whether the next run of a sync was started
ONE, ALL = "sync-", "sync-all-"  # what the number of a run follows, and that of a sync of many
SYNC_ID = "sync-1042"

Only = Annotated[
    str | None,
    Query(
        max_length=100, description="this resource alone; else all of sheets", examples=[RESOURCE]
    ),
]
SyncIdAsked = Annotated[
    str,
    Query(
        alias="syncId",
        max_length=200,
        description="as the start of the sync has told it",
        examples=[SYNC_ID],
    ),
]


class Camel(BaseModel):
    """A shape whose names are written as this front end writes them."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class SheetSyncStarted(Camel):
    """A sync that was started, or the active one."""

    success: bool = Field(examples=[True])
    sync_id: str = Field(description="follow it by this", examples=[SYNC_ID])
    message: str = Field(examples=[STARTED])


class SheetStats(Camel):
    """How much was read so far."""

    size: int = Field(description="bytes", examples=[524288])
    lines: int = Field(description="rows", examples=[1523])


class SheetSyncStatus(Camel):
    """How a sync of sheets is, or how it ended."""

    status: SheetState = Field(description=words.meaning("sheet"), examples=["downloading"])
    progress: int = Field(description="of the whole sync, 0 to 100", examples=[45])
    message: str = Field(description="in a sentence", examples=["Reading Locations"])
    last_updated: datetime = Field(description="UTC")
    stats: SheetStats = Field(description="how much was read so far")
    error: str | None = Field(None, description="what went wrong, and what to do")


class SheetSyncDone(SheetSyncStatus):
    """How a sync of sheets ended."""

    success: bool = Field(description="whether all sheets are up to date", examples=[True])
    sync_id: str = Field(examples=[SYNC_ID])


@dataclass(frozen=True)
class _Parts:
    """What a sync is made of: its runs, and the resources without one."""

    organization_id: int
    runs: Sequence[Run]
    at: datetime  # when it was asked for
    waiting: int = 0  # resources whose run comes after another one's
    left_out: Sequence[str] = ()  # why others have none, in sentences

    @property
    def active(self) -> bool:
        """Whether it is on its way."""
        return self.waiting > 0 or any(run.active for run in self.runs)


@routes.post("/sync-sheets-bg")
def sync_sheets_in_background(
    by: By, resource: Only = None, organization: Whose = None, key: Key = None
) -> SheetSyncStarted:
    """Start the sync of all sheets, or join those that are on their way."""
    sync_id, new = _begin(by.seat(organization), resource, key)
    return SheetSyncStarted(success=True, sync_id=sync_id, message=STARTED if new else ALREADY)


@routes.get("/sync-sheets-bg")
def status_of_sheet_sync(
    by: By, sync_id: SyncIdAsked, organization: Whose = None
) -> SheetSyncStatus:
    """Tell how a sync of sheets is, or how it ended."""
    return _status(
        _find([by.seat(organization)] if organization else list(by.seats.values()), sync_id)
    )


@routes.post("/sync-sheets", response_model=SheetSyncDone)
def sync_sheets(
    by: By, resource: Only = None, organization: Whose = None, key: Key = None
) -> StreamingResponse:
    """Start the sync of all sheets as above, and answer when it has ended.

    What takes longer than 5 minutes continues in the background, and the answer says so. Spaces
    before the answer's JSON are signs of life.
    """
    seat = by.seat(organization)
    sync_id, _ = _begin(seat, resource, key)
    return StreamingResponse(_at_the_end(seat, sync_id), media_type="application/json")


def _begin(seat: Seat, resource: str | None, key: str | None) -> tuple[str, bool]:
    """Start or join a sync: return its `syncId`, and whether it is a new one."""
    organization, person = seat
    people.require(person, "sync")
    names = [resources.by_name(resource).name] if resource else _of_sheets(seat)
    request = once(key, "start", organization.slug, *names, "sync")
    if len(names) == 1:
        run, new = start_or_join(seat, names[0], request)
        return f"sync-{run.id}", new
    try:
        batch = syncs.start_all(organization, person, Trigger.API, names, request)
    except SyncError as error:
        if error.code != "already_syncing_all":
            raise
    else:
        return f"{ALL}{batch.id}", True
    with db.within(organization.id) as connection:
        joined = batches.latest(connection, organization.id)
    if joined is None:
        raise SyncError("already_syncing_all")
    return f"{ALL}{joined.id}", False


def _of_sheets(seat: Seat) -> list[str]:
    """Return the resources whose sources are set and are sheets. Raises SyncError("no_source")."""
    with db.within(seat[0].id) as connection:
        kept = source_settings.read_all(connection, seat[0])
    there = {one.resource for one in kept}
    of_sheets = [name for name in resources.in_order() if not resources.by_name(name).held_by]
    if found := [name for name in of_sheets if name in there]:
        return found
    raise SyncError("no_source", resource=of_sheets[0], what="any sheet")


def _find(seats: Sequence[Seat], sync_id: str) -> _Parts:
    """Return what a sync is made of. Raises SyncError: unknown_run, no_permission."""
    number = run_number.read(sync_id.removeprefix(ALL).removeprefix(ONE))
    with db.within(*(organization.id for organization, _ in seats)) as connection:
        found = _parts(connection, number, sync_id) if number else None
    for organization, person in seats:
        if found and found.organization_id == organization.id:
            people.require(person, "read")
            return found
    raise SyncError("unknown_run", run=sync_id)


def _parts(connection: Connection, number: int, sync_id: str) -> _Parts | None:
    """Return what a sync is made of; None where there is none of this id."""
    if sync_id == f"{ALL}{number}":
        batch = batches.get(connection, number)
        return _of_batch(batch) if batch else None
    found = runs.some(connection, [number] if sync_id == f"{ONE}{number}" else [])
    return _Parts(found[0].organization_id, found, found[0].queued_at) if found else None


def _of_batch(batch: Batch) -> _Parts:
    return _Parts(
        batch.organization_id,
        runs=[part.run for part in batch.parts if part.run],
        at=batch.at,
        waiting=sum(1 for part in batch.parts if not part.run and not part.skipped),
        left_out=[_left_out(part) for part in batch.parts if part.skipped],
    )


def _left_out(part: Part) -> str:
    title = resources.by_name(part.resource).title
    if part.skipped == "plan_waits":
        return f"{title} was left out: its plan waits for a decision."
    return f"{title} was left out: {part.skipped}."


def _status(parts: _Parts) -> SheetSyncStatus:
    with db.within(parts.organization_id) as connection:
        views = live.without_logs(connection, parts.runs)
        stats = _stats(connection, views)
    idle: Sequence[SheetState] = ["idle"] * parts.waiting
    wrong: Sequence[SheetState] = ["error"] * len(parts.left_out)
    states = [words.sheet(view.run, view.progress) for view in views]
    status = together([*states, *idle, *wrong])
    done = sum(words.percent(view.run, view.progress) for view in views)
    errors = [*filter(None, (words.error(view.run) for view in views)), *parts.left_out]
    return SheetSyncStatus(
        status=status,
        progress=(done + 100 * len(wrong)) // (len(views) + len(idle) + len(wrong)),
        message=_message(parts, views),
        last_updated=max([parts.at, *(words.updated(view.run, view.progress) for view in views)]),
        stats=stats,
        error=" ".join(errors) if status == "error" else None,
    )


def together(states: Sequence[SheetState]) -> SheetState:
    """Return what several syncs are together: the least advanced one of those on their way."""
    order: Sequence[SheetState] = ("idle", "downloading", "processing", "saving")
    on_way = [state for state in order if state in states]
    if not on_way:
        return "error" if "error" in states else "complete"
    has_begun = set(states) != {"idle"}
    return "downloading" if has_begun and on_way[0] == "idle" else on_way[0]


def _message(parts: _Parts, views: Sequence[View]) -> str:
    """Return what the one at work does; once all have ended, how each did."""
    if not parts.active:
        return " ".join([*(words.message(view.run, None) for view in views), *parts.left_out])
    on_way = [view for view in views if view.run.active]
    at_work = next((view for view in on_way if view.progress), on_way[0] if on_way else None)
    return words.message(at_work.run, at_work.progress) if at_work else "Waiting for its turn"


def _stats(connection: Connection, views: Sequence[View]) -> SheetStats:
    sizes = [_size(connection, view) for view in views]
    read = traffic.rows(connection, [view.run.id for view in views])
    return SheetStats(size=sum(sizes), lines=sum(sum(rows.values()) for rows in read.values()))


def _size(connection: Connection, view: View) -> int:
    kept = traffic.of_run(connection, view.run.id).bytes
    if view.progress is None:
        return kept
    download = view.progress.download
    return max(kept, view.progress.traffic.bytes, (download.read if download else 0) or 0)


async def _at_the_end(seat: Seat, sync_id: str) -> AsyncIterator[str]:
    """Wait for the end, with signs of life, then tell how it was."""
    waiting = asyncio.create_task(_ended(seat, sync_id))
    try:
        for _ in range(round(LONGEST / LIFE_SECONDS)):
            yield " "
            done, _still = await asyncio.wait({waiting}, timeout=LIFE_SECONDS)
            if done:
                break
    finally:
        waiting.cancel()
    told = await run_in_threadpool(_done, seat, sync_id)
    yield told.model_dump_json(by_alias=True)


async def _ended(seat: Seat, sync_id: str) -> None:
    """Wait until a sync has ended, or the server stops, or it cannot bear one more watcher."""
    with suppress(SyncError):
        while (parts := await run_in_threadpool(_find, [seat], sync_id)).active:
            for run in parts.runs:
                await _watch(run, seat[1].email)
            if await _stops(PAUSE):
                return


async def _watch(run: Run, who: str) -> None:
    if run.active:
        async with live.watch().of(run, who) as views:
            async for view in views:
                if not view.run.active:
                    break


async def _stops(seconds: float) -> bool:
    """Return whether the server is asked to stop within so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await stopping.event().wait()
    return False


def _done(seat: Seat, sync_id: str) -> SheetSyncDone:
    parts = _find([seat], sync_id)
    facts = dict(_status(parts))
    if parts.active:
        facts["message"] = GOES_ON
    return SheetSyncDone(**facts, success=facts["status"] == "complete", sync_id=sync_id)
