"""The shapes of what the API takes and gives, with an example and the unit of each part."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from sync_core.api.sample import RESOURCE
from sync_core.foundation.vocabulary import OutcomeKind, PauseReason, RunKind, RunStatus
from sync_core.organizations import Organization
from sync_core.runs import Run, Tallies, run_address
from sync_core.runs.progress import Progress

COUNTS_EXAMPLE = {
    RESOURCE: {
        "read": 412, "created": 3, "updated": 12, "unchanged": 395,
        "skipped": 0, "failed": 2, "removed": 0, "blank": 1, "rules": {},
    }
}  # fmt: skip


class ProgressShape(BaseModel):
    """What a run is doing now."""

    phase: str = Field(examples=["downloading"])
    sentence: str = Field(examples=["Reading Locations"])
    percent: int = Field(description="of the whole run, 0 to 100; it never falls", examples=[42])
    done: int = Field(description="in this phase, in `unit`", examples=[1200])
    total: int | None = Field(description="of this phase; null: not known", examples=[3000])
    unit: str = Field(description='of `done` and `total`; "" without one', examples=["rows"])
    counts: Mapping[str, int] = Field(
        description="live counts of rows, by name", examples=[{"patients_found": 1200}]
    )
    at: float = Field(description="seconds since 1970, UTC", examples=[1795867200.5])


class RunShape(BaseModel):
    """One execution of one resource for one organization."""

    id: int = Field(examples=[1042])
    organization: str = Field(description="short name", examples=["demo"])
    page: str = Field(
        description="where people see it; without the server, unless that is known",
        examples=["/runs?org=demo&id=1042"],
    )
    resource: str = Field(examples=[RESOURCE])
    kind: RunKind = Field(description="what it is for")
    status: RunStatus = Field(description="how it is, or how it ended")
    trigger: str = Field(description="from where it was requested", examples=["API"])
    origin: str = Field(
        description="how it came about: `retry` or `undo`, else its trigger", examples=["schedule"]
    )
    scheduled_for: datetime | None = Field(
        description="the moment of the schedule that started it, UTC"
    )
    late: bool = Field(description="whether its schedule started it after that")
    requested_by: str = Field(description="who requested it", examples=["Sarah Lim"])
    requested_team: str = Field(examples=["Operations"])
    queued_at: datetime = Field(description="when it was requested, UTC")
    started_at: datetime | None = Field(description="when a worker took it, UTC")
    finished_at: datetime | None = Field(description="when it ended, UTC")
    seconds: float | None = Field(
        description="duration in seconds, without the wait in the queue", examples=[3.25]
    )
    attempt: int = Field(description="how often a worker has taken it", examples=[1])
    message: str = Field(
        description="how it ended", examples=["Processed 412 items: 3 created, 12 updated."]
    )
    log_message: str = Field(description="the same with the reasons of failed rows")
    error_code: str | None = Field(description="of a run that failed", examples=["missing_columns"])
    advice: str = Field(description="what to do about it")
    notes: Sequence[str] = Field(description="what it noticed")
    counts: Mapping[str, Any] = Field(
        description="rows by what happened to them, of each table; of a run that waits, what is"
        " planned. read = created + updated + unchanged + skipped + failed",
        examples=[COUNTS_EXAMPLE],
    )
    cancelling: bool = Field(description="whether its worker was asked to end it")
    undoes: int | None = Field(description="the run that this one undoes")
    progress: ProgressShape | None = Field(
        None, description="while it is active; null where nobody knows it"
    )


class RunPage(BaseModel):
    """Some runs, the newest first."""

    runs: Sequence[RunShape] = Field(description="the newest first")
    next: int | None = Field(description="the cursor of the page after; null: none", examples=[991])


class IssueShape(BaseModel):
    """One thing wrong with one cell."""

    field: str = Field(description='its label; "": the row as a whole', examples=["Phone"])
    code: str = Field(examples=["bad_phone"])
    sentence: str = Field(examples=["Phone: '12' is not a phone number."])
    cell: str | None = Field(description="its address in the source", examples=["Locations!C418"])
    beside: str | None = Field(
        None, description="where the other one is, of what may be there once", examples=["row 4"]
    )


class OutcomeShape(BaseModel):
    """What happened to one row."""

    entity: str = Field(description="the table", examples=[RESOURCE])
    kind: OutcomeKind = Field(description="what happened to it")
    row: int | None = Field(description="its number in the sheet", examples=[418])
    key: str | None = Field(examples=["L-12"])
    name: str | None = Field(examples=["Harbor Clinic"])
    rule: str | None = Field(description="the rule that skipped it")
    changes: Mapping[str, Any] | None = Field(
        description="by column [before, after]; of a removed row, all that it held"
    )
    issues: Sequence[IssueShape] = Field(description="why it failed, all reasons")


class OutcomePage(BaseModel):
    """Some outcomes of a run, the failed ones first."""

    outcomes: Sequence[OutcomeShape] = Field(description="of this page")
    total: int = Field(description="rows on all pages", examples=[17])


class FieldShape(BaseModel):
    """One column of a table."""

    label: str = Field(description="the header in the source", examples=["Location code"])
    column: str = Field(description="the name in the table", examples=["location_code"])
    key: bool = Field(description="whether it is part of the key")
    required: bool = Field(description="whether each row must have it")
    personal: bool = Field(description="masked for those who may not see personal data")


class EntityShape(BaseModel):
    """One table."""

    name: str = Field(examples=[RESOURCE])
    title: str = Field(examples=["Locations"])
    fields: Sequence[FieldShape] = Field(description="in the order of its columns")


class StepShape(BaseModel):
    """A step of the runs of a resource."""

    phase: str = Field(description="as `progress.phase` names it", examples=["downloading"])
    title: str = Field(description="what people call it", examples=["Downloading"])
    start: int = Field(description="percent of the whole run at which it begins", examples=[0])
    end: int = Field(description="percent of the whole run at which it ends", examples=[60])


class ResourceShape(BaseModel):
    """What can be kept in step: one or more tables."""

    name: str = Field(examples=[RESOURCE])
    title: str = Field(examples=["Locations"])
    entities: Sequence[EntityShape] = Field(description="its tables")
    steps: Sequence[StepShape] = Field(description="of its runs, in order")
    latest: RunShape | None = Field(description="the active run, else the newest")
    fresh_at: datetime | None = Field(description="when its tables were last up to date, UTC")
    promised_hours: int = Field(description="how old they may become", examples=[24])
    overdue: bool = Field(description="whether they are older than that")


class Resources(BaseModel):
    """All resources, as one organization has them."""

    resources: Sequence[ResourceShape] = Field(description="in the order of their pages")


class SourceShape(BaseModel):
    """Where a table is read."""

    resource: str = Field(examples=[RESOURCE])
    entity: str = Field(examples=[RESOURCE])
    kind: str = Field(examples=["google_sheet"])
    name: str = Field(description="in words", examples=["Google Sheet, tab Locations"])
    location: str = Field(
        description="of a secret address only the host, but for those who may set it",
        examples=["clinics"],
    )
    tab: str | None = Field(description="of a Google Sheet: its gid or its title")
    locale: str | None = Field(examples=["en_AU"])
    header_row: int | None = Field(description="null: it is found by its labels")


class Sources(BaseModel):
    """The sources that are set."""

    sources: Sequence[SourceShape] = Field(description="one for each table")


class ProbeShape(BaseModel):
    """What a sync would find in the first rows of a source."""

    sentence: str = Field(description="what was found, in a sentence")
    read: int = Field(description="rows that are not blank")
    failed: int = Field(description="rows that a sync would refuse")
    whole: bool = Field(description="whether all rows were tried")
    findings: Sequence[Mapping[str, Any]] = Field(description="what is wrong, and in how many rows")
    notes: Sequence[str] = Field(description="what it noticed")
    sample: Mapping[str, Any] | None = Field(description="the first rows, without personal columns")


class ProbeAnswer(BaseModel):
    """The test of the sources of a resource."""

    resource: str = Field(examples=[RESOURCE])
    ok: bool = Field(description="whether no row would be refused")
    entities: Mapping[str, ProbeShape] = Field(description="by table")


class Records(BaseModel):
    """Some rows of a table, by key."""

    entity: str = Field(examples=[RESOURCE])
    rows: Sequence[Mapping[str, Any]] = Field(
        description="by column; amounts are texts with all their decimals, days are ISO 8601",
        examples=[[{"location_code": "L1", "name": "Harbor Clinic"}]],
    )
    total: int = Field(description="rows on all pages", examples=[412])


class CellShape(BaseModel):
    """A field of a record, before and after; as people read it, null where blank."""

    field: str = Field(description="its label", examples=["Phone"])
    before: str | None = Field(examples=["(02) 5550 0101"])
    after: str | None = Field(examples=["(02) 5550 0199"])


class EventShape(BaseModel):
    """Something that happened to a record, by a run or past the program."""

    what: str = Field(examples=["updated"])
    sentence: str = Field(examples=["Updated"])
    at: datetime | None = Field(description="UTC; null where it happened outside the program")
    run_id: int | None = Field(examples=[1042])
    by: str | None = Field(description="who requested the run", examples=["Sarah Lim"])
    started_at: datetime | None = Field(description="when the run started, UTC")
    finished_at: datetime | None = Field(description="when it ended, UTC")
    row: int | None = Field(description="its number in the sheet", examples=[418])
    after_run: int | None = Field(description="outside the program: after this run")
    before_run: int | None = Field(description="outside the program: before this run")
    cells: Sequence[CellShape] = Field(description="that changed")


class RecordHistory(BaseModel):
    """All that happened to a record, the newest first."""

    entity: str = Field(examples=[RESOURCE])
    key: Sequence[str] = Field(examples=[["L1"]])
    name: str = Field(examples=["Harbor Clinic"])
    is_there: bool = Field(description="whether its table shows it")
    dropped_before: datetime | None = Field(description="values before were deleted, UTC")
    entries: Sequence[EventShape] = Field(description="the newest first")


class Snapshot(BaseModel):
    """What a record was at a moment."""

    entity: str = Field(examples=[RESOURCE])
    key: Sequence[str] = Field(examples=[["L1"]])
    at: datetime = Field(description="the moment, UTC")
    is_there: bool | None = Field(description="null: not known")
    values: Mapping[str, str | None] = Field(
        description="by label, as people read them; null where blank",
        examples=[{"Name": "Harbor Clinic"}],
    )
    not_known: Sequence[str] = Field(description="labels of what nobody knows")


class TickShape(BaseModel):
    """What became of a moment at which a resource was to be synced automatically."""

    at: datetime = Field(description="the moment, UTC")
    run_id: int | None = Field(description="the run that it started", examples=[1042])
    skipped: str | None = Field(
        description="why it started none: a stable code", examples=["plan_waits"]
    )
    late: bool = Field(description="whether its run was started after it")
    missed: int = Field(description="times before it that its run also covers", examples=[0])


class ScheduleShape(BaseModel):
    """When a resource is synced automatically."""

    organization: str = Field(description="short name", examples=["demo"])
    resource: str = Field(examples=[RESOURCE])
    cron: str = Field(description="as a cron expression", examples=["30 6 * * 1-5"])
    words: str = Field(description="in words", examples=["every weekday at 06:30"])
    time_zone: str = Field(description="in which it counts", examples=["Australia/Sydney"])
    next: Sequence[datetime] = Field(description="the next times, UTC; none while it is paused")
    set_by: str = Field(description="who set it", examples=["Sarah Lim"])
    paused_at: datetime | None = Field(description="since when it is paused, UTC")
    paused_by: str | None = Field(description="who paused it", examples=["Sarah Lim"])
    pause_reason: PauseReason | None = Field(description="why it is paused")
    ticks: Sequence[TickShape] = Field(description="what became of the last, the newest first")


class Schedules(BaseModel):
    """The schedules of an organization."""

    schedules: Sequence[ScheduleShape] = Field(description="in the order of the pages")


class OrganizationShape(BaseModel):
    """An organization, and what one may do there."""

    slug: str = Field(description="short name", examples=["demo"])
    name: str = Field(examples=["Northwind Care"])
    time_zone: str = Field(examples=["Australia/Sydney"])
    role: str = Field(examples=["analyst"])


class Organizations(BaseModel):
    """The organizations of who asks."""

    organizations: Sequence[OrganizationShape] = Field(description="by name")


def of_run(
    organization: Organization, run: Run, counts: Tallies, progress: Progress | None = None
) -> RunShape:
    """Return the shape of a run."""
    facts = {name: getattr(run, name) for name in RunShape.model_fields if hasattr(run, name)}
    now = _of_progress(progress) if progress else None
    page = run_address.full(organization.slug, run.id) or run_address.path(
        organization.slug, run.id
    )
    return RunShape(**facts, organization=organization.slug, page=page, counts=counts, progress=now)


def _of_progress(known: Progress) -> ProgressShape:
    amount = known.amount
    return ProgressShape(
        phase=known.phase,
        sentence=known.sentence,
        percent=known.percent,
        done=amount.done,
        total=amount.total,
        unit=amount.unit,
        counts=known.counts,
        at=known.at,
    )
