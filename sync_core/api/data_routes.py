"""Resources, their sources and their records over HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from sync_core import runs, sources
from sync_core.api import shapes
from sync_core.api.asked import Moment, PageQuery, Whose
from sync_core.api.callers import By, Caller
from sync_core.api.sample import RESOURCE
from sync_core.api.shapes import (
    EntityShape,
    FieldShape,
    Organizations,
    OrganizationShape,
    ProbeAnswer,
    RecordHistory,
    Records,
    Resources,
    ResourceShape,
    Snapshot,
    Sources,
    SourceShape,
    StepShape,
)
from sync_core.catalogue import resources
from sync_core.catalogue.phases import Band
from sync_core.catalogue.resource import Entity
from sync_core.engine import probe
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import source_probes
from sync_core.organizations import people, policies, source_settings
from sync_core.organizations.policies import Policy
from sync_core.records import history, history_json, rows
from sync_core.records.history import Record
from sync_core.records.rows import View
from sync_core.runs import Run, tab_titles
from sync_core.runs.promise import Promise

routes = APIRouter(prefix="/v1")
Table = Annotated[str, Path(max_length=100, description="name of the table", examples=[RESOURCE])]


KeyParts = Annotated[
    list[str], Query(max_length=10, description="the parts of its key", examples=[["L1"]])
]


@routes.get("/organizations", tags=["organizations"])
def list_organizations(by: By) -> Organizations:
    """List the organizations of who asks, with the role in each."""
    return Organizations(
        organizations=[
            OrganizationShape(slug=of.slug, name=of.name, time_zone=of.time_zone, role=person.role)
            for of, person in by.seats.values()
        ]
    )


@routes.get("/resources", tags=["resources"])
def list_resources(by: By, organization: Whose = None) -> Resources:
    """List what can be synced, with its tables, its latest run, and how fresh it is."""
    of, person = by.seat(organization)
    people.require(person, "read")
    with db.within(of.id) as connection:
        latest, fresh = runs.latest(connection, of.id), runs.fresh(connection, of.id)
        counted = runs.tallies(connection, [run.id for run in latest.values()])
        decided = policies.of(connection, of.id)
    told = {name: shapes.of_run(of, r, counted.get(r.id, {})) for name, r in latest.items()}
    return Resources(
        resources=[
            ResourceShape(
                name=one.name,
                title=one.title,
                entities=list(map(_entity, one.entities)),
                steps=list(map(_step, one.steps.bands)),
                latest=told.get(one.name),
                fresh_at=fresh[one.name].finished_at if one.name in fresh else None,
                promised_hours=decided[one.name].fresh_hours,
                overdue=_is_overdue(fresh.get(one.name), decided[one.name]),
            )
            for one in resources.CATALOGUE.values()
        ]
    )


def _is_overdue(fresh: Run | None, policy: Policy) -> bool:
    if fresh is None or fresh.finished_at is None:
        return False
    return not Promise(fresh.finished_at, policy.fresh_hours).is_kept(datetime.now(UTC))


def _step(band: Band) -> StepShape:
    return StepShape(phase=band.name, title=band.title, start=band.start, end=band.end)


def _entity(entity: Entity) -> EntityShape:
    fields = [
        FieldShape(
            label=field.label,
            column=field.column,
            key=field.key,
            required=field.required,
            personal=field.sensitive,
        )
        for field in entity.fields
    ]
    return EntityShape(name=entity.name, title=entity.title, fields=fields)


@routes.get("/sources", tags=["sources"])
def list_sources(by: By, organization: Whose = None) -> Sources:
    """List the sources that are set."""
    of, person = by.seat(organization)
    people.require(person, "read")
    with db.within(of.id) as connection:
        found = tab_titles.named(connection, of, source_settings.read_all(connection, of))
    may_set = person.may("administer")
    return Sources(
        sources=[
            SourceShape(
                resource=one.resource,
                entity=one.entity,
                kind=one.kind,
                name=sources.source_name(one),
                location=sources.source_location(one, may_set=may_set),
                tab=one.tab,
                locale=one.locale,
                header_row=one.header_row,
            )
            for one in found
        ]
    )


@routes.post("/resources/{resource}/source-test", tags=["sources"])
def try_sources(
    by: By,
    resource: Annotated[str, Path(max_length=100, examples=[RESOURCE])],
    organization: Whose = None,
) -> ProbeAnswer:
    """Tell what a sync would find in the first rows of the source; nothing is changed."""
    tried = source_probes.probe_sources(*by.seat(organization), resource)
    for refused in (one.error for one in tried if one.error):
        raise refused
    return ProbeAnswer(**probe.as_json(resource, tried))


@routes.get("/records/{entity}", tags=["records"])
def list_records(by: By, entity: Table, asked: Annotated[PageQuery, Query()]) -> Records:
    """List the rows of a table; what one may not see is masked, and not searched."""
    of, person = by.seat(asked.organization)
    people.require(person, "read")
    table, view = _table(entity), View(asked.search, limit=asked.limit, offset=asked.offset)
    with db.within(of.id) as connection:
        found = rows.read(connection, of.id, table, view, person)
        total = rows.count(connection, of.id, table, view, person)
    columns = [field.column for field in table.fields]
    told = [dict(zip(columns, row, strict=True)) for row in found]
    return Records(entity=entity, rows=told, total=total)


@routes.get("/records/{entity}/history", tags=["records"])
def history_of(by: By, entity: Table, key: KeyParts, organization: Whose = None) -> RecordHistory:
    """Tell all that happened to a record, the newest first."""
    return RecordHistory(**history_json.of_record(_record(by, entity, key, organization)))


@routes.get("/records/{entity}/snapshot", tags=["records"])
def snapshot_of(
    by: By,
    entity: Table,
    key: KeyParts,
    at: Annotated[Moment, Query(description="a moment", examples=["2026-11-01T00:00:00Z"])],
    organization: Whose = None,
) -> Snapshot:
    """Tell what a record was at a moment."""
    record = _record(by, entity, key, organization)
    return Snapshot(**history_json.of_snapshot(record, record.as_of(at)))


def _record(by: Caller, entity: str, key: Sequence[str], slug: str | None) -> Record:
    of, person = by.seat(slug)
    people.require(person, "read")
    with db.within(of.id) as connection:
        return history.read(connection, of.id, _table(entity), key, person)


def _table(name: str) -> Entity:
    if name in resources.ENTITIES:
        return resources.ENTITIES[name]
    raise SyncError("unknown_table", table=name, known=", ".join(resources.ENTITIES))
