"""Syncs of patients, as the dashboard and the panel of Cliniko are told of them."""

import re
from collections.abc import Sequence
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
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, OutcomeKind, RunStatus
from sync_core.organizations import Organization, people
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from sync_core.runs.progress import Progress

PATIENTS = resources.by_name("patients")
STEPS = PATIENTS.steps
FOUND, BOOKED = STEPS.reading["patients"], STEPS.reading["appointments"]
ACTIVE, STORED = STEPS.comparing, STEPS.saving
GOOD = (OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.UNCHANGED)
_ID = re.compile(r"sync_(?P<slug>[a-z0-9-]+)_(?P<second>\d{8}_\d{6})", re.ASCII)
_SECOND = "%Y%m%d_%H%M%S"

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
    last_sync_time: datetime | None = Field(description="when they were last in step, UTC")


@dataclass(frozen=True)
class Counted:
    """What a run has found and stored so far; None: not yet, or nobody knows it any more."""

    patients: int | None
    appointments: int | None
    active: int | None
    stored: int | None
    processed: int = 0  # patients that were read
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
    with db.begin() as connection:
        found = runs.found(connection, asked, 1)
    if not found:
        raise SyncError("unknown_run", run=wanted)
    return (organization, person), found[0]


def recent(connection: Connection, organization: Organization, limit: int) -> list[View]:
    """Look at syncs of patients: the one that is on its way comes first, then the newest."""
    newest = runs.history(connection, organization.id, PATIENTS.name, limit)
    current = runs.latest(connection, organization.id).get(PATIENTS.name)
    if current is not None:
        newest = [current, *(run for run in newest if run.id != current.id)][:limit]
    return seen(connection, organization, newest)


def seen(connection: Connection, organization: Organization, found: Sequence[Run]) -> list[View]:
    """Look at runs; where Redis has forgotten how many patients the last one found active, count.

    They are counted as they were at its end, which is the same as long as none came after it.
    """
    views = live.without_logs(connection, found)
    fresh = runs.fresh(connection, organization.id).get(PATIENTS.name)
    return [
        _with_active(connection, view, fresh) if fresh and view.run.id == fresh.id else view
        for view in views
    ]


def _with_active(connection: Connection, view: View, run: Run) -> View:
    known = view.progress or Progress()
    if ACTIVE.statistic in known.counts:
        return view
    active = patients.figures(connection, run.organization_id, run.finished_at).active
    counts = {**known.counts, ACTIVE.statistic: active}
    return replace(view, progress=replace(known, counts=counts))


def counted(view: View) -> Counted:
    """Return what a run has found and stored: what is live, of an applied one what was applied."""
    told = view.progress.counts if view.progress else {}
    found, booked = told.get(FOUND.statistic), told.get(BOOKED.statistic)
    active, stored = told.get(ACTIVE.statistic), told.get(STORED.statistic)
    if view.run.status not in APPLIED:
        stored = stored if view.run.active else 0  # all is stored at once, at the end
        return Counted(found, booked, active, stored, processed=found or 0)
    rows, appointments = (view.counts.get(name, {}) for name in ("patients", "appointments"))
    return Counted(
        patients=rows.get("read", 0),
        appointments=appointments.get("read", 0),
        active=active,
        stored=sum(rows.get(kind, 0) for kind in GOOD),
        processed=rows.get("read", 0),
        failed=rows.get("failed", 0),
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
