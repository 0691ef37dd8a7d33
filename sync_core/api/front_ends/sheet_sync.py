"""The addresses of a front end of sheets: sync them in the background, or wait until it is done.

Its one sync is of all sheets: each resource that is read from a sheet or a file has a run of its
own, and a `syncId` names all of them. With `resource` it is that one's alone.
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
from sync_core.api import live
from sync_core.api.asked import LARGEST, Whose
from sync_core.api.callers import By, Seat
from sync_core.api.front_ends import words
from sync_core.api.front_ends.starting import ALREADY, start_or_join
from sync_core.api.front_ends.words import SheetState
from sync_core.api.live import View
from sync_core.api.run_routes import Key, find, once
from sync_core.api.sample import RESOURCE
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import people, source_settings
from sync_core.runs import Run, traffic

routes = APIRouter(tags=["sheet sync"])
STARTED = "Background sync started"
GOES_ON = "The sync goes on in the background: ask how it is by its syncId."
LONGEST = 300.0  # seconds that an answer waits for the end of a sync
LIFE_SECONDS = 10.0  # between two signs of life of such an answer
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
    """A sync that was started, or the one that is on its way."""

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

    success: bool = Field(description="whether all sheets are in step", examples=[True])
    sync_id: str = Field(examples=[SYNC_ID])


@dataclass(frozen=True)
class _Together:
    """The runs that one request has started or joined."""

    seat: Seat
    runs: Sequence[Run]
    new: bool

    @property
    def sync_id(self) -> str:
        return "-".join(["sync", *(str(run.id) for run in self.runs)])


@routes.post("/sync-sheets-bg")
def sync_sheets_in_background(
    by: By, resource: Only = None, organization: Whose = None, key: Key = None
) -> SheetSyncStarted:
    """Start the sync of all sheets, or join those that are on their way."""
    begun = _begin(by.seat(organization), resource, key)
    message = STARTED if begun.new else ALREADY
    return SheetSyncStarted(success=True, sync_id=begun.sync_id, message=message)


@routes.get("/sync-sheets-bg")
def status_of_sheet_sync(
    by: By, sync_id: SyncIdAsked, organization: Whose = None
) -> SheetSyncStatus:
    """Tell how a sync of sheets is, or how it ended."""
    found = [find(by, number, organization) for number in _numbers(sync_id)]
    with db.begin() as connection:
        return _status(connection, [run for _, run in found])


@routes.post("/sync-sheets", response_model=SheetSyncDone)
def sync_sheets(
    by: By, resource: Only = None, organization: Whose = None, key: Key = None
) -> StreamingResponse:
    """Start the sync of all sheets as above, and answer when it has ended.

    What takes longer than 5 minutes goes on in the background, and the answer says so. Spaces
    before the answer's JSON are signs of life.
    """
    begun = _begin(by.seat(organization), resource, key)
    return StreamingResponse(_at_the_end(begun), media_type="application/json")


def _begin(seat: Seat, resource: str | None, key: str | None) -> _Together:
    """Start what is not on its way. Raises SyncError where nothing could be started or joined."""
    people.require(seat[1], "sync")
    names = [resources.by_name(resource).name] if resource else _of_sheets(seat)
    begun: list[tuple[Run, bool]] = []
    refused: list[SyncError] = []
    for name in names:
        own_key = f"{key} {name}" if key and len(names) > 1 else key
        request = once(own_key, "start", seat[0].slug, name, "sync")
        try:
            begun.append(start_or_join(seat, name, request))
        except SyncError as error:
            refused.append(error)
    if not begun:
        raise refused[0]
    return _Together(seat, [run for run, _ in begun], any(new for _, new in begun))


def _of_sheets(seat: Seat) -> list[str]:
    """Return the resources whose sources are set and are sheets. Raises SyncError("no_source")."""
    with db.begin() as connection:
        kept = source_settings.read_all(connection, seat[0])
    there = {one.resource for one in kept}
    of_sheets = [name for name in resources.in_order() if not resources.by_name(name).held_by]
    if found := [name for name in of_sheets if name in there]:
        return found
    raise SyncError("no_source", resource=of_sheets[0], what="any sheet")


def _numbers(sync_id: str) -> list[int]:
    """Return the numbers of the runs. Raises SyncError("unknown_run")."""
    word, *numbers = sync_id.split("-")
    known = [int(text) for text in numbers if text.isascii() and text.isdecimal()]
    if word != "sync" or not known or len(known) != len(numbers) or max(known) > LARGEST:
        raise SyncError("unknown_run", run=sync_id)
    return known


def _status(connection: Connection, found: Sequence[Run]) -> SheetSyncStatus:
    views = live.without_logs(connection, found)
    states = [words.sheet(view.run, view.progress) for view in views]
    status = together(states)
    wrong = [words.error(view.run) for view in views]
    return SheetSyncStatus(
        status=status,
        progress=sum(words.percent(view.run, view.progress) for view in views) // len(views),
        message=_message(views),
        last_updated=max(words.updated(view.run, view.progress) for view in views),
        stats=_stats(connection, views),
        error=" ".join(filter(None, wrong)) if status == "error" else None,
    )


def together(states: Sequence[SheetState]) -> SheetState:
    """Return what several syncs are together: the least advanced one of those on their way."""
    order: Sequence[SheetState] = ("idle", "downloading", "processing", "saving")
    on_way = [state for state in order if state in states]
    if not on_way:
        return "error" if "error" in states else "complete"
    has_begun = set(states) != {"idle"}
    return "downloading" if has_begun and on_way[0] == "idle" else on_way[0]


def _message(views: Sequence[View]) -> str:
    """Return what the one at work does; once all have ended, how each did."""
    on_way = [view for view in views if view.run.active]
    if not on_way:
        return " ".join(words.message(view.run, None) for view in views)
    at_work = next((view for view in on_way if view.progress), on_way[0])
    return words.message(at_work.run, at_work.progress)


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


async def _at_the_end(begun: _Together) -> AsyncIterator[str]:
    """Wait for the end, with signs of life, then tell how it was."""
    waiting = asyncio.create_task(_ended([run.id for run in begun.runs]))
    try:
        for _ in range(round(LONGEST / LIFE_SECONDS)):
            yield " "
            done, _still = await asyncio.wait({waiting}, timeout=LIFE_SECONDS)
            if done:
                break
    finally:
        waiting.cancel()
    told = await run_in_threadpool(_done, begun)
    yield told.model_dump_json(by_alias=True)


async def _ended(run_ids: Sequence[int]) -> None:
    """Wait until these runs have ended, or the server stops, or it cannot bear one more watcher."""
    with suppress(SyncError):
        for run_id in run_ids:
            async with live.watch().of(run_id) as views:
                async for view in views:
                    if not view.run.active:
                        break


def _done(begun: _Together) -> SheetSyncDone:
    with db.begin() as connection:
        found = runs.some(connection, [run.id for run in begun.runs])
        told = _status(connection, found)
    facts = dict(told)
    if any(run.active for run in found):
        facts["message"] = GOES_ON
    return SheetSyncDone(**facts, success=told.status == "complete", sync_id=begun.sync_id)
