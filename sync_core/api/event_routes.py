"""The events of a run as they happen: server-sent events, and the same over a WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sync_core.api import live, problems, rate, shapes
from sync_core.api.asked import Number, Whose
from sync_core.api.callers import By, Seat, identify
from sync_core.api.live import Place, View
from sync_core.api.run_routes import find
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs import Run

LONGEST = 900.0  # seconds of a stream: who comes back is asked again who they are
RETRY = 2_000  # milliseconds after which a reader comes back

routes = APIRouter(prefix="/v1", tags=["events"])
sockets = APIRouter(prefix="/v1")


@dataclass(frozen=True)
class Event:
    """Something to tell of a run: what it is now, a line of its log, or that it has ended."""

    name: str  # "run", "log" or "end"; "": it has none
    data: Any
    place: Place


class OverError(Exception):
    """Everything was told already: a reader that comes back need not come again."""


async def over(_request: object, _error: Exception) -> Response:
    """Answer a reader who has heard the end; an EventSource then comes back no more."""
    return Response(status_code=204)


def _admitted(
    by: By,
    run: Number,
    organization: Whose = None,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="the id of the last event that was heard")
    ] = None,
) -> tuple[Seat, Run, Place]:
    since = live.place(last_event_id)
    seat, found = find(by, run, organization)
    if since.over and found.finished_at is not None:
        raise OverError
    return seat, found, since


@routes.get(
    "/runs/{run}/events",
    response_class=EventSourceResponse,
    responses={204: {"description": "everything was sent: do not reconnect"}},
)
async def events_of_run(
    admitted: Annotated[tuple[Seat, Run, Place], Depends(_admitted, scope="function")],
) -> AsyncIterator[ServerSentEvent]:
    """Tell what happens to a run: `run` with its shape, `log` with a line, `end` at its end.

    Each event has an id; with the last one as `Last-Event-ID` a reader hears what came after.
    """
    (organization, person), run, since = admitted
    try:
        async for event in follow(partial(news, organization), run, since, person):
            yield as_sent(event)
    except SyncError as error:
        yield as_problem(error)


def as_sent(event: Event) -> ServerSentEvent:
    """Return an event as it is sent; one without a name is the `message` of an EventSource."""
    name = event.name or None
    return ServerSentEvent(data=event.data, event=name, id=str(event.place), retry=RETRY)


def as_problem(error: SyncError) -> ServerSentEvent:
    """Return as an event why there will be no more."""
    return ServerSentEvent(data=problems.of(error).model_dump(), event="problem", retry=RETRY)


@sockets.websocket("/runs/{run}/socket")
async def socket_of_run(
    socket: WebSocket,
    run: Number,
    organization: Annotated[str | None, Query(max_length=100)] = None,
    last_event_id: Annotated[str | None, Query(max_length=100)] = None,
) -> None:
    """Tell the events of a run over a WebSocket, each as {id, event, data}."""
    try:
        admitted = await run_in_threadpool(_at_the_door, socket, run, organization, last_event_id)
    except SyncError as error:
        await socket.send_denial_response(problems.answer(socket, error))
        return
    await socket.accept()
    telling = asyncio.create_task(_tell(socket, *admitted))
    leaving = asyncio.create_task(_gone(socket))
    await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    for task in (telling, leaving):
        task.cancel()
    await asyncio.gather(telling, leaving, return_exceptions=True)
    if socket.application_state == WebSocketState.CONNECTED and not leaving.done():
        await socket.close()


def _at_the_door(
    socket: WebSocket, run: int, slug: str | None, heard: str | None
) -> tuple[Seat, Run, Place]:
    rate.require(socket)
    seat, found = find(identify(socket), run, slug)
    return seat, found, live.place(heard)


async def _tell(socket: WebSocket, seat: Seat, run: Run, since: Place) -> None:
    organization, person = seat
    try:
        async for event in follow(partial(news, organization), run, since, person):
            told = {"id": str(event.place), "event": event.name, "data": event.data}
            await socket.send_text(json.dumps(told))
    except SyncError as error:
        told = {"id": None, "event": "problem", "data": problems.of(error).model_dump()}
        await socket.send_text(json.dumps(told))
    await socket.close()


async def _gone(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()  # whatever is said here is passed over
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return


News = Callable[[View, Place], Iterator[Event]]  # what a look tells to who has heard up to a place


async def follow(tell: News, run: Run, since: Place, by: Person) -> AsyncIterator[Event]:
    """Tell what happens to a run after a place, until it is over, or for `LONGEST` seconds.

    Whoever may not read any more is told nothing more: sign_in_ended, no_permission.
    """
    until, told, heard = time.monotonic() + LONGEST, set[float](), since.line
    async with live.watch().of(run, by.email) as views:
        async for view in views:
            by = await _as_now(by)
            fresh = [x for x in view.lines if live.line_place(x) > heard and x.at not in told]
            told |= {line.at for line in fresh}
            for event in tell(replace(view, lines=fresh), since):
                since = event.place
                yield event
            if since.over or view.over or time.monotonic() > until:
                return


async def _as_now(person: Person) -> Person:
    if person.admission and person.admission.is_fresh:
        return person
    return await run_in_threadpool(people.require, person, "read")


def news(organization: Organization, view: View, since: Place) -> Iterator[Event]:
    """Tell what a look shows: the lines of the log that are new, then what the run is, if new.

    A line that Redis had lost, and that its attempt has left in Postgres, may come after younger
    ones; the place of an event is that of the youngest.
    """
    for event in lines(view, since):
        since = event.place
        yield event
    at_work = view.progress if view.run.active else None
    shape = shapes.of_run(organization, view.run, view.counts, at_work)
    state = shape.model_dump(mode="json")
    now = replace(since, state=live.digest(state), over=view.over)
    if view.over and not since.over:
        yield Event("end", state, now)
    elif now.state != since.state:
        yield Event("run", state, now)


def lines(view: View, since: Place) -> Iterator[Event]:
    """Tell the lines of the log that a look shows."""
    for line in view.lines:
        since = replace(since, line=max(since.line, live.line_place(line)))
        yield Event("log", {"at": line.at, "level": line.level, "text": line.text}, since)
