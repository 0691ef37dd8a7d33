"""The addresses of a dashboard of patients' syncs: start, status, all in one, history, stream.

A sync is known by its `sync_id`, and goes through the eight steps of its resource.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from sync_core import runs
from sync_core.api import event_routes, live
from sync_core.api.asked import Whole
from sync_core.api.callers import By, Seat
from sync_core.api.event_routes import Event, OverError
from sync_core.api.front_ends import patient_runs, words
from sync_core.api.front_ends.patient_runs import (
    IN_STEP,
    STEPS,
    SYNC_ID,
    PatientStats,
    Slug,
    SyncId,
)
from sync_core.api.front_ends.starting import ALREADY, start_or_join
from sync_core.api.front_ends.words import DashboardState
from sync_core.api.live import Place, View
from sync_core.api.run_routes import Key, once
from sync_core.catalogue.resources.patients import PATIENTS
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.operations import syncs
from sync_core.organizations import Organization, people, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run

routes = APIRouter(prefix="/v1/sync", tags=["sync dashboard"])
STARTED = "Sync started"
STEP = "Found 641 patients"

Some = Annotated[Whole, Query(ge=1, le=100, description="syncs, at most")]


class SyncStarted(BaseModel):
    """A sync that was started, or the active one."""

    message: str = Field(examples=[STARTED])
    sync_id: str = Field(description="follow it by this", examples=[SYNC_ID])
    organization_id: str = Field(description="short name", examples=["demo"])
    status: DashboardState = Field(examples=["starting"])


class SyncCancelled(SyncStarted):
    """A sync that was asked to end."""

    message: str = Field(examples=["Sync cancelled"])
    status: DashboardState = Field(examples=["failed"])


class SyncStatus(BaseModel):
    """How a sync of patients is, or how it ended."""

    organization_id: str = Field(description="short name", examples=["demo"])
    sync_id: str = Field(examples=[SYNC_ID])
    run: int = Field(description="its number at the other addresses", examples=[1042])
    status: DashboardState = Field(
        description=words.meaning("dashboard"), examples=["fetching_patients"]
    )
    progress_percentage: int = Field(
        description="of the whole sync, 0 to 100; where it failed, how far it came", examples=[50]
    )
    current_step: str = Field(description="in a sentence", examples=[STEP])
    total_steps: int = Field(examples=[8])
    current_step_number: int = Field(description="the first one is 1", examples=[4])
    patients_found: int = Field(description="read so far", examples=[641])
    appointments_found: int = Field(description="read so far", examples=[1247])
    active_patients_identified: int | None = Field(
        description="0 before they are looked for; null of an older sync: not known any more",
        examples=[89],
    )
    active_patients_stored: int | None = Field(
        description="0 until all is stored at once, at the end; null: not known any more",
        examples=[89],
    )
    patients_stored: int = Field(description="of those read, active or not, so far", examples=[641])
    started_at: datetime = Field(description="UTC; before a worker has it, when it was requested")
    completed_at: datetime | None = Field(description="UTC; null: it has not ended")
    errors: Sequence[str] = Field(description="what went wrong, and what to do", examples=[[]])
    notes: Sequence[str] = Field(description="what it noticed", examples=[["Read everything."]])
    last_updated: datetime = Field(description="UTC")


class PastSync(SyncStatus):
    """A sync of the history."""

    requested_by: str = Field(description="who requested it", examples=["Sarah Lim"])
    records_success: int = Field(description=IN_STEP, examples=[641])


class SyncHistory(BaseModel):
    """Syncs of patients."""

    organization_id: str = Field(description="short name", examples=["demo"])
    history: Sequence[PastSync] = Field(description="an active one, then the newest")


class LastSync(BaseModel):
    """How the last sync has ended."""

    status: DashboardState = Field(examples=["completed"])
    started_at: datetime = Field(description="UTC")
    completed_at: datetime | None = Field(description="UTC")
    records_success: int = Field(description=IN_STEP, examples=[89])


class Dashboard(BaseModel):
    """All that a dashboard shows, in one answer."""

    organization_id: str = Field(description="short name", examples=["demo"])
    status: DashboardState = Field(description="idle: no sync is active", examples=["idle"])
    current_sync: SyncStatus | None = Field(description="the active one")
    patient_stats: PatientStats = Field(description="the patients as they are now")
    last_sync: LastSync | None = Field(description="the last one that has ended")
    sync_available: bool = Field(
        description="false while a sync is active, or where no source is set", examples=[True]
    )


@routes.post("/start/{organization_id}")
def start_sync_of_patients(by: By, organization_id: Slug, key: Key = None) -> SyncStarted:
    """Start the sync of all patients, or join the active one."""
    seat = by.seat(organization_id)
    organization = seat[0]
    request = once(key, "start", organization.slug, PATIENTS.name, "sync")
    run, new = start_or_join(seat, PATIENTS.name, request)
    return SyncStarted(
        message=STARTED if new else ALREADY,
        sync_id=patient_runs.sync_id(organization, run),
        organization_id=organization.slug,
        status=words.STATES[run.status].dashboard,
    )


@routes.get("/status/{sync_id}")
def status_of_sync(by: By, sync_id: SyncId) -> SyncStatus:
    """Tell how a sync is, or how it ended."""
    (organization, _), run = patient_runs.find(by, sync_id)
    with db.within(organization.id) as connection:
        (view,) = patient_runs.seen(connection, organization, [run])
    return _status(organization, view)


@routes.get("/dashboard/{organization_id}")
def show_dashboard(by: By, organization_id: Slug) -> Dashboard:
    """Tell all that a dashboard shows: the current sync, the patients, the last sync."""
    organization, person = by.seat(organization_id)
    people.require(person, "read")
    with db.within(organization.id) as connection:
        views = patient_runs.recent(connection, organization, 20)
        stats = patient_runs.stats(connection, organization)
        readable = _has_source(connection, organization)
    current = next((_status(organization, view) for view in views if view.run.active), None)
    last = next((view for view in views if view.over), None)
    return Dashboard(
        organization_id=organization.slug,
        status=current.status if current else words.NO_DASHBOARD_RUN,
        current_sync=current,
        patient_stats=stats,
        last_sync=_last(last) if last else None,
        sync_available=readable and current is None,
    )


@routes.get("/history/{organization_id}")
def history_of_syncs(by: By, organization_id: Slug, limit: Some = 10) -> SyncHistory:
    """List the syncs of patients: an active one first, then the newest."""
    organization, person = by.seat(organization_id)
    people.require(person, "read")
    with db.within(organization.id) as connection:
        views = patient_runs.recent(connection, organization, limit)
    told = [
        PastSync(
            **dict(_status(organization, view)),
            requested_by=view.run.requested_by,
            records_success=patient_runs.counted(view).in_step,
        )
        for view in views
    ]
    return SyncHistory(organization_id=organization.slug, history=told)


@routes.delete("/cancel/{sync_id}")
def cancel_sync(by: By, sync_id: SyncId) -> SyncCancelled:
    """Cancel a sync; one that has ended stays as it is."""
    (organization, person), run = patient_runs.find(by, sync_id)
    now = _cancel(organization, run.id, person)
    return SyncCancelled(
        message=_cancelled(now),
        sync_id=patient_runs.sync_id(organization, now),
        organization_id=organization.slug,
        status=words.STATES[now.status].dashboard,
    )


def _cancel(organization: Organization, run_id: int, person: Person) -> Run:
    """Cancel a run; its front ends know no refusal of one that has ended, and learn how it did."""
    try:
        return syncs.cancel(organization, run_id, person)
    except SyncError as error:
        if error.code != "already_ended":
            raise
    with db.within(organization.id) as connection:
        return runs.get(connection, organization.id, run_id)


def _cancelled(run: Run) -> str:
    if run.active:
        return "Sync is being cancelled"
    ended = f"Sync has ended already. {run.message}"
    return "Sync cancelled" if run.status == RunStatus.CANCELLED else ended


def _admitted(
    by: By,
    sync_id: SyncId,
    last_event_id: Annotated[
        str | None, Header(max_length=100, description="the id of the last event that was heard")
    ] = None,
) -> tuple[Seat, Run, Place]:
    since = live.place(last_event_id)
    seat, run = patient_runs.find(by, sync_id)
    if since.over and not run.active:
        raise OverError
    return seat, run, replace(since, over=False)


@routes.get(
    "/stream/{sync_id}",
    response_class=EventSourceResponse,
    responses={204: {"description": "everything was sent: do not reconnect"}},
)
async def stream_of_sync(
    admitted: Annotated[tuple[Seat, Run, Place], Depends(_admitted, scope="function")],
) -> AsyncIterator[ServerSentEvent]:
    """Tell how a sync is whenever that changes, as its status does, until it is over.

    These events have no name; those with the name `log` are lines of its log.
    """
    (organization, person), run, since = admitted
    tell = partial(_news, organization)
    try:
        async for event in event_routes.follow(tell, run, since, person):
            yield event_routes.as_sent(event)
    except SyncError as error:
        yield event_routes.as_problem(error)


def _news(organization: Organization, view: View, since: Place) -> Iterator[Event]:
    for event in event_routes.lines(view, since):
        since = event.place
        yield event
    state = _status(organization, view).model_dump(mode="json")
    now = replace(since, state=live.digest(state), over=not view.run.active)
    if now != since:
        yield Event("", state, now)


def _status(organization: Organization, view: View) -> SyncStatus:
    run, known, found = view.run, view.progress, patient_runs.counted(view)
    done = words.is_done(run)
    active = found.active if done else found.active or 0
    return SyncStatus(
        organization_id=organization.slug,
        sync_id=patient_runs.sync_id(organization, run),
        run=run.id,
        status=words.dashboard(run, known),
        progress_percentage=words.percent(run, known),
        current_step=words.message(run, known),
        total_steps=len(STEPS.bands),
        current_step_number=patient_runs.step(view),
        patients_found=found.patients or 0,
        appointments_found=found.appointments or 0,
        active_patients_identified=active,
        active_patients_stored=active if done else 0,
        patients_stored=found.stored or 0,
        started_at=run.started_at or run.queued_at,
        completed_at=run.finished_at,
        errors=patient_runs.errors(view),
        notes=run.notes,
        last_updated=words.updated(run, known),
    )


def _last(view: View) -> LastSync:
    return LastSync(
        status=words.dashboard(view.run, None),
        started_at=view.run.started_at or view.run.queued_at,
        completed_at=view.run.finished_at,
        records_success=patient_runs.counted(view).in_step,
    )


def _has_source(connection: Connection, organization: Organization) -> bool:
    kept = source_settings.read_all(connection, organization)
    names = {one.entity for one in kept if one.resource == PATIENTS.name}
    return names >= {entity.name for entity in PATIENTS.entities}
