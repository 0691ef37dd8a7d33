"""Syncs of patients, as the dashboard and the panel of Cliniko are told of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from sync_core import runs
from sync_core.analytics import patients
from sync_core.api import live
from sync_core.api.callers import Caller, Seat
from sync_core.api.front_ends import words
from sync_core.api.live import View
from sync_core.catalogue.resources.patients import PATIENTS
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, OutcomeKind, RunStatus
from sync_core.organizations import Organization, people
from sync_core.runs import Run, figures, traffic
from sync_core.runs.filters import Filter
from sync_core.runs.progress import Progress

STEPS = PATIENTS.steps
SHOWN = (PATIENTS.main.name, "appointments")  # the tables of which these front ends are told
READ = {name: STEPS.reading[name] for name in SHOWN}
FOUND, BOOKED = READ.values()
ACTIVE, STORED = STEPS.comparing, STEPS.saving
STOOD = "patients before"  # the name of a count: those before a sync that reads what has changed
GOOD = (OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED)
_ID = re.compile(r"sync_(?P<slug>[a-z0-9-]+)_(?P<second>\d{8}_\d{6})", re.ASCII)
_SECOND = "%Y%m%d_%H%M%S"

IN_STEP = "patients that are up to date: those read, and those that Cliniko says have not changed"
SYNC_ID = "sync_demo_20261122_143022"
SyncId = Annotated[
    str,
    Path(max_length=100, description="as the start of the sync has told it", examples=[SYNC_ID]),
]
Slug = Annotated[
    str, Path(max_length=100, description="short name of the organization", examples=["demo"])
]


class PatientStats(BaseModel):
    """How many patients the tables hold now."""

    total_patients: int = Field(description="all, archived ones too", examples=[648])
    active_patients: int = Field(
        description="recent or upcoming; not archived, deleted or merged", examples=[89]
    )
    patients_with_upcoming: int = Field(
        description="of the active ones, those with an appointment to come", examples=[23]
    )
    patients_with_recent: int = Field(
        description="of the active ones, those who came lately", examples=[66]
    )
    last_sync_time: datetime | None = Field(description="when they were last up to date, UTC")


@dataclass(frozen=True)
class Counted:
    """What a run has found and stored so far; None: not yet, or nobody knows it any more."""

    patients: int | None
    appointments: int | None
    active: int | None
    stored: int | None
    processed: int  # patients, with those that Cliniko says have not changed
    in_step: int  # of these
    failed: int = 0


def sync_id(organization: Organization, run: Run) -> str:
    """Return by what the dashboard knows a run: whose it is, and when it was asked for."""
    return f"sync_{organization.slug}_{run.queued_at.astimezone(UTC):{_SECOND}}"


def find(by: Caller, wanted: str) -> tuple[Seat, Run]:
    """Return the run of a `sync_id`; where two are of one second, the first has ended: the second.

    Raises SyncError: unknown_run, no_permission.
    """
    parts = _ID.fullmatch(wanted)
    if parts is None or parts["slug"] not in by.seats:
        raise SyncError("unknown_run", run=wanted)
    organization, person = by.seats[parts["slug"]]
    people.require(person, "read")
    try:
        since = datetime.strptime(parts["second"], _SECOND).replace(tzinfo=UTC)
    except ValueError:
        raise SyncError("unknown_run", run=wanted) from None
    asked = Filter(
        organizations=(organization.id,),
        resource=(PATIENTS.name,),
        since=since,
        until=since + timedelta(seconds=1),
    )
    with db.within(organization.id) as connection:
        found = runs.found(connection, asked, 1)
    if not found:
        raise SyncError("unknown_run", run=wanted)
    return (organization, person), found[0]


def recent(connection: Connection, organization: Organization, limit: int) -> list[View]:
    """Look at syncs of patients: the active one comes first, then the newest."""
    newest = runs.history(connection, organization.id, PATIENTS.name, limit)
    current = runs.latest(connection, organization.id).get(PATIENTS.name)
    if current is not None:
        newest = [current, *(run for run in newest if run.id != current.id)][:limit]
    return seen(connection, organization, newest)


def seen(connection: Connection, organization: Organization, found: Sequence[Run]) -> list[View]:
    """Look at runs; what Redis has forgotten of their counts is taken from Postgres.

    Of the active patients that is possible for the last one that was applied: they are counted as
    they were at its end.
    """
    views = live.without_logs(connection, found)
    run_ids = [run.id for run in found]
    read = traffic.rows(connection, run_ids)
    stood = figures.known_before(connection, run_ids, PATIENTS.main.name)
    fresh = runs.fresh(connection, organization.id).get(PATIENTS.name)
    told = []
    for view in views:
        rows = read.get(view.run.id, {})
        known = {band.statistic: rows[name] for name, band in READ.items() if name in rows}
        if view.run.id in stood:
            known[STOOD] = stood[view.run.id]
        if fresh and view.run.id == fresh.id and ACTIVE.statistic not in _live(view):
            at_end = patients.figures(connection, organization.id, fresh.finished_at)
            known[ACTIVE.statistic] = at_end.active
        told.append(_with_counts(view, known))
    return told


def _with_counts(view: View, counts: Mapping[str, int]) -> View:
    """Return a view with these counts, where what is live does not know them."""
    known = view.progress or Progress()
    return replace(view, progress=replace(known, counts={**counts, **known.counts}))


def _live(view: View) -> Mapping[str, int]:
    return view.progress.counts if view.progress else {}


def counted(view: View) -> Counted:
    """Return what a run has found and stored: what is live, of an applied one what was applied."""
    told = _live(view)
    found, booked = told.get(FOUND.statistic), told.get(BOOKED.statistic)
    active, stored = told.get(ACTIVE.statistic), told.get(STORED.statistic)
    if view.run.status not in APPLIED:
        stored = stored if view.run.active else 0  # all is stored at once, at the end
        return Counted(found, booked, active, stored, processed=found or 0, in_step=stored or 0)
    rows, appointments = (view.counts.get(name, {}) for name in SHOWN)
    stored = sum(rows.get(kind, 0) for kind in GOOD)
    in_step = stored
    if STOOD in told:
        in_step = told[STOOD] + rows.get("created", 0) - rows.get("removed", 0)
    failed = rows.get("failed", 0)
    return Counted(
        patients=rows.get("read", 0) if found is None else found,
        appointments=appointments.get("read", 0) if booked is None else booked,
        active=active,
        stored=stored,
        processed=in_step + failed + rows.get("skipped", 0),
        in_step=in_step,
        failed=failed,
    )


def errors(view: View) -> list[str]:
    """Return in sentences what went wrong, and what to do."""
    if told := words.error(view.run):
        return [told]
    return [view.run.message] if view.run.status == RunStatus.PARTIAL else []


def step(view: View) -> int:
    """Return the number of the step that a run is in, of `len(STEPS.bands)`."""
    if view.run.status in APPLIED:
        return len(STEPS.bands)
    names = [band.name for band in STEPS.bands]
    phase = view.progress.phase if view.progress else ""
    return names.index(phase) + 1 if phase in names else 1


def stats(connection: Connection, organization: Organization) -> PatientStats:
    """Count the patients as they are now."""
    found = patients.figures(connection, organization.id)
    fresh = runs.fresh(connection, organization.id).get(PATIENTS.name)
    return PatientStats(
        total_patients=found.total,
        active_patients=found.active,
        patients_with_upcoming=found.upcoming,
        patients_with_recent=found.recent,
        last_sync_time=fresh.finished_at if fresh else None,
    )
