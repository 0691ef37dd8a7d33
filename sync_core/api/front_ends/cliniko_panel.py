"""The addresses of an admin panel of Cliniko: sync all patients, and poll how far it is.

The panel asks for the latest sync of an organization, without an id. Its log has a sync that is on
its way first, so it never takes an older result for the sync that it has just started.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from sync_core.analytics import analyses, patients
from sync_core.api.asked import Limit, Offset, Search, Whole
from sync_core.api.callers import By
from sync_core.api.front_ends import patient_runs, words
from sync_core.api.front_ends.patient_runs import (
    IN_STEP,
    STEPS,
    SYNC_ID,
    PatientStats,
    Slug,
)
from sync_core.api.front_ends.starting import ALREADY, start_or_join
from sync_core.api.front_ends.words import Milestone, PanelState
from sync_core.api.live import View
from sync_core.api.run_routes import Key, once
from sync_core.catalogue.resources.patients import PATIENTS
from sync_core.foundation import db
from sync_core.operations import source_probes
from sync_core.organizations import Organization, people
from sync_core.records import rows

routes = APIRouter(prefix="/v1/cliniko", tags=["Cliniko panel"])
STARTED = "Sync started"
SyncType = Literal["full_patients", "active_patients"]
ALL: SyncType = "full_patients"
_ALL_OF_THEM = "full_patients: all patients are synced, whether they are active or not"
_PROCESSED = "patients that were read, and those that Cliniko says have not changed"

Some = Annotated[Whole, Query(ge=1, le=100, description="syncs, at most")]


class PanelSync(BaseModel):
    """A sync that was started, or the active one."""

    success: bool = Field(examples=[True])
    message: str = Field(examples=[STARTED])
    organization_id: str = Field(description="short name", examples=["demo"])
    sync_id: str = Field(description="for the addresses of the dashboard", examples=[SYNC_ID])


class PanelConnection(BaseModel):
    """Whether Cliniko can be read with the organization's key."""

    success: bool = Field(examples=[True])
    status: Literal["connected", "failed"] = Field(examples=["connected"])
    message: str = Field(description="in a sentence", examples=["Cliniko answers: 648 patients."])
    organization_id: str = Field(description="short name", examples=["demo"])
    patient_count: int | None = Field(
        description="all that Cliniko holds, archived ones too; null: it cannot be read",
        examples=[648],
    )
    error: str | None = Field(None, description="the stable code of what is wrong")
    advice: str = Field("", description="what to do about it")


@with_config(ConfigDict())  # its names stay as they are, also within shapes that rename theirs
class Metadata(TypedDict, total=False):
    """What is known of a sync; what is not known yet is left out."""

    patients_found: Annotated[int, Field(description="read so far", examples=[648])]
    patients_stored: Annotated[
        int, Field(description="from the storing on, so far", examples=[450])
    ]
    appointments_found: Annotated[int, Field(description="read so far", examples=[1247])]
    active_patients_identified: Annotated[int, Field(examples=[89])]
    sync_type: Annotated[SyncType, Field(description=_ALL_OF_THEM, examples=[ALL])]
    current_step: Annotated[
        str,
        Field(
            description="in a sentence",
            examples=["Storing patients in database (450/648)"],
        ),
    ]
    milestone: Annotated[Milestone, Field(description="where it is, while it is active")]
    progress_percentage: Annotated[
        int,
        Field(
            description="0 to 100: 5 once connected, 30 fetched, 50 processed, 100 stored",
            examples=[84],
        ),
    ]
    errors: Annotated[Sequence[str], Field(description="in sentences", examples=[[]])]
    notes: Annotated[
        Sequence[str], Field(description="what it noticed", examples=[["Read everything."]])
    ]


class SyncLog(BaseModel):
    """A sync of patients, as it is now."""

    id: int = Field(description="number of the run", examples=[1042])
    sync_id: str = Field(description="for the addresses of the dashboard", examples=[SYNC_ID])
    organization_id: str = Field(description="short name", examples=["demo"])
    status: PanelState = Field(description=words.meaning("panel"), examples=["running"])
    operation_type: SyncType = Field(description=_ALL_OF_THEM, examples=[ALL])
    requested_by: str = Field(description="who requested it", examples=["Sarah Lim"])
    records_processed: int = Field(description=_PROCESSED, examples=[648])
    records_success: int = Field(description=IN_STEP, examples=[450])
    records_failed: int = Field(description="patients that a person must fix", examples=[0])
    success_rate: float = Field(
        description="records_success of records_processed, in percent; it is no progress",
        examples=[69.4],
    )
    started_at: datetime = Field(description="UTC; before a worker has it, when it was requested")
    completed_at: datetime | None = Field(description="UTC; null: it has not ended")
    metadata: Metadata = Field(description="what else is known of it")


class SyncLogs(BaseModel):
    """Syncs of patients."""

    logs: Sequence[SyncLog] = Field(description="an active one, then the newest")


class SyncProgress(BaseModel):
    """A sync of patients, in the words that the panel keeps it in."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    status: PanelState = Field(examples=["completed"])
    type: SyncType = Field(description=_ALL_OF_THEM, examples=[ALL])
    records_processed: int = Field(description=_PROCESSED, examples=[648])
    records_success: int = Field(description=IN_STEP, examples=[648])
    success_rate: float = Field(description="in percent", examples=[100.0])
    started_at: datetime = Field(description="UTC")
    completed_at: datetime | None = Field(description="UTC; null: it has not ended")
    metadata: Metadata = Field(description="what else is known of it")


class PanelStatus(PatientStats):
    """How many patients there are, and how the last sync is."""

    organization_id: str = Field(description="short name", examples=["demo"])
    last_sync: SyncProgress | None = Field(description="an active one, else the newest")


class SyncedPatients(BaseModel):
    """Some of the patients that were synced, by their Cliniko id."""

    organization_id: str = Field(description="short name", examples=["demo"])
    patients: Sequence[Mapping[str, Any]] = Field(
        description="by column, and whether each is active; what one may not see is masked,"
        " and `active`, which tells who comes, is null",
        examples=[[{"cliniko_patient_id": "101", "name": "Mia Wood", "active": True}]],
    )
    total: int = Field(description="patients on all pages", examples=[648])
    limit: int = Field(description="patients of this page, at most", examples=[50])
    offset: int = Field(description="patients before the page", examples=[0])


@routes.post("/sync-all/{organization_id}")
def sync_all_patients(by: By, organization_id: Slug, key: Key = None) -> PanelSync:
    """Start the sync of all patients, or join the active one."""
    seat = by.seat(organization_id)
    organization = seat[0]
    request = once(key, "start", organization.slug, PATIENTS.name, "sync")
    run, new = start_or_join(seat, PATIENTS.name, request)
    return PanelSync(
        success=True,
        message=STARTED if new else ALREADY,
        organization_id=organization.slug,
        sync_id=patient_runs.sync_id(organization, run),
    )


@routes.post("/sync/{organization_id}", deprecated=True)
def sync_patients(by: By, organization_id: Slug, key: Key = None) -> PanelSync:
    """Do what `sync-all` does: all patients are synced."""
    return sync_all_patients(by, organization_id, key)


@routes.get("/test-connection/{organization_id}")
def try_connection(by: By, organization_id: Slug) -> PanelConnection:
    """Tell whether Cliniko can be read, and how many patients it holds; nothing is changed."""
    organization, person = by.seat(organization_id)
    tried = source_probes.probe_sources(organization, person, PATIENTS.name)
    wrong = next((one.error for one in tried if one.error), None)
    return PanelConnection(
        success=wrong is None,
        status="failed" if wrong else "connected",
        message=" ".join(one.sentence for one in tried if one.error is wrong),
        organization_id=organization.slug,
        patient_count=next((one.records for one in tried if one.records is not None), None),
        error=wrong.code if wrong else None,
        advice=wrong.advice if wrong else "",
    )


@routes.get("/sync-logs/{organization_id}")
def logs_of_syncs(by: By, organization_id: Slug, limit: Some = 10) -> SyncLogs:
    """List the syncs of patients, an active one first: poll it with `limit=1`."""
    organization, person = by.seat(organization_id)
    people.require(person, "read")
    with db.within(organization.id) as connection:
        views = patient_runs.recent(connection, organization, limit)
    return SyncLogs(logs=[_log(organization, view) for view in views])


@routes.get("/status/{organization_id}")
def final_counts(by: By, organization_id: Slug) -> PanelStatus:
    """Tell how many patients there are: those of the last sync that was stored."""
    organization, person = by.seat(organization_id)
    people.require(person, "read")
    with db.within(organization.id) as connection:
        views = patient_runs.recent(connection, organization, 1)
        stats = patient_runs.stats(connection, organization)
    last = _progress(_log(organization, views[0])) if views else None
    return PanelStatus(**dict(stats), organization_id=organization.slug, last_sync=last)


@routes.get("/active-patients/{organization_id}")
def synced_patients(
    by: By,
    organization_id: Slug,
    limit: Annotated[Limit, Query()] = 50,
    offset: Annotated[Offset, Query()] = 0,
    search: Annotated[Search, Query()] = "",
) -> SyncedPatients:
    """List the patients that were synced, each with whether it is active."""
    organization, person = by.seat(organization_id)
    people.require(person, "read")
    entity, view = PATIENTS.main, rows.View(search, limit=limit, offset=offset)
    columns = [field.column for field in entity.fields]
    with db.within(organization.id) as connection:
        found = rows.read(connection, organization.id, entity, view, person)
        total = rows.count(connection, organization.id, entity, view, person)
        told = [dict(zip(columns, row, strict=True)) for row in found]
        ids = [row[entity.keys[0].column] for row in told]
        active = None
        if analyses.group(PATIENTS, "active", person):
            active = patients.active_among(connection, organization.id, ids)
    for row, patient in zip(told, ids, strict=True):
        row["active"] = None if active is None else patient in active
    return SyncedPatients(
        organization_id=organization.slug, patients=told, total=total, limit=limit, offset=offset
    )


def _log(organization: Organization, view: View) -> SyncLog:
    run, found = view.run, patient_runs.counted(view)
    success = found.in_step
    return SyncLog(
        id=run.id,
        sync_id=patient_runs.sync_id(organization, run),
        organization_id=organization.slug,
        status=words.STATES[run.status].panel,
        operation_type=ALL,
        requested_by=run.requested_by,
        records_processed=found.processed,
        records_success=success,
        records_failed=found.failed,
        success_rate=100 * success / found.processed if found.processed else 0.0,
        started_at=run.started_at or run.queued_at,
        completed_at=run.finished_at,
        metadata=_metadata(view),
    )


def _metadata(view: View) -> Metadata:
    run, known, found = view.run, view.progress, patient_runs.counted(view)
    done = words.is_done(run)
    facts = {
        "patients_found": found.processed if done else found.patients,
        "patients_stored": found.in_step if done else found.stored,
        "appointments_found": found.appointments,
        "active_patients_identified": found.active,
        "milestone": words.milestone(run, known),
    }
    there = {name: fact for name, fact in facts.items() if fact is not None}
    told = {
        "sync_type": ALL,
        "current_step": words.message(run, known),
        "progress_percentage": words.by_milestones(STEPS, words.percent(run, known)),
        "errors": patient_runs.errors(view),
        "notes": run.notes,
    }
    return cast("Metadata", {**there, **told})


def _progress(log: SyncLog) -> SyncProgress:
    alike = {name: getattr(log, name) for name in SyncProgress.model_fields if name != "type"}
    return SyncProgress(**alike, type=log.operation_type)
