"""Sync all: a run of each resource, each after those to which its rows refer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.catalogue import resources
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.organizations.people import Person
from sync_core.runs import requests
from sync_core.runs.run import Run, some

SOON = "cooldown"  # code of what is no reason to leave a resource out: it is tried again

_BATCHES, _PARTS = tables.batches.c, tables.batch_parts.c
_NOW = sa.func.clock_timestamp()


@dataclass(frozen=True)
class Part:
    """What becomes of one resource: it waits, or has a run, or was left out for a reason."""

    resource: str
    run: Run | None
    skipped: str | None  # code of the reason

    @property
    def done(self) -> bool:
        """Return whether nothing more happens here, unless a person decides on a plan."""
        return self.skipped is not None or (self.run is not None and not self.run.active)


@dataclass(frozen=True)
class Batch:
    """A sync of all resources of an organization; its parts are in the order of references."""

    id: int
    organization_id: int
    trigger: str
    requested_by: str
    requested_email: str
    requested_team: str
    at: datetime
    finished_at: datetime | None
    parts: Sequence[Part] = ()

    @property
    def person(self) -> Person:
        """Return who asked for it; the permission was checked then."""
        team = self.requested_team
        return Person(self.requested_by, self.requested_email, Role.ANALYST, team)

    def awaits(self, part: Part) -> list[str]:
        """Return the resources after which a part comes, and which are not done yet."""
        before = resources.references(part.resource)
        return [one.resource for one in self.parts if one.resource in before and not one.done]


def add(
    connection: Connection,
    organization_id: int,
    person: Person,
    trigger: str,
    names: Sequence[str],
    left_out: Mapping[str, str],
) -> Batch:
    """Keep a new one. Raises SyncError("already_syncing_all") while another is on its way."""
    made = connection.execute(
        insert(tables.batches)
        .values(
            organization_id=organization_id,
            trigger=trigger,
            requested_by=person.name,
            requested_email=person.email,
            requested_team=person.team,
        )
        .on_conflict_do_nothing(
            index_elements=["organization_id"], index_where=_BATCHES.finished_at.is_(None)
        )
        .returning(_BATCHES.id)
    ).scalar()
    if made is None:
        raise SyncError("already_syncing_all")
    parts = [{"batch_id": made, "resource": name, "skipped": left_out.get(name)} for name in names]
    connection.execute(sa.insert(tables.batch_parts), parts)
    return _read(connection, _BATCHES.id == made)[0]


def get(connection: Connection, batch_id: int) -> Batch | None:
    """Return one by its number, whoever's it is; None where there is none."""
    return next(iter(_read(connection, _BATCHES.id == batch_id)), None)


def with_run(connection: Connection, run: Run) -> Batch:
    """Return the one that has made a run, or was the first to join it."""
    first = sa.select(sa.func.min(_PARTS.batch_id)).where(_PARTS.run_id == run.id)
    return _read(connection, _BATCHES.id == first.scalar_subquery())[0]


def latest(connection: Connection, organization_id: int) -> Batch | None:
    """Return the last one of an organization; None where there was none."""
    newest = sa.select(sa.func.max(_BATCHES.id)).where(_BATCHES.organization_id == organization_id)
    found = _read(connection, _BATCHES.id == newest.scalar_subquery())
    return found[0] if found else None


def _read(connection: Connection, which: sa.ColumnElement[bool]) -> list[Batch]:
    facts = [_BATCHES[name] for name in Batch.__dataclass_fields__ if name != "parts"]
    rows = connection.execute(sa.select(*facts).where(which).order_by(_BATCHES.id)).mappings()
    return [Batch(**row, parts=_parts(connection, row["id"])) for row in rows]


def _parts(connection: Connection, batch_id: int) -> Sequence[Part]:
    query = sa.select(_PARTS.resource, _PARTS.run_id, _PARTS.skipped)
    kept = connection.execute(query.where(_PARTS.batch_id == batch_id)).all()
    found = {run.id: run for run in some(connection, [row.run_id for row in kept if row.run_id])}
    order = {name: place for place, name in enumerate(resources.in_order())}
    parts = (Part(row.resource, found.get(row.run_id), row.skipped) for row in kept)
    return sorted(parts, key=lambda part: order.get(part.resource, len(order)))


def go_on(connection: Connection) -> list[Run]:
    """Start what comes next in each that is on its way, and end those that are done.

    Returns the runs that were started. One that another loop holds is passed over.
    """
    open_ones = sa.select(_BATCHES.id).where(_BATCHES.finished_at.is_(None))
    ids = connection.execute(open_ones.with_for_update(skip_locked=True)).scalars().all()
    return [run for batch_id in ids for run in start_next(connection, batch_id)]


def start_next(connection: Connection, batch_id: int) -> list[Run]:
    """Start the runs of one for which nothing has to be waited, or end it."""
    (batch,) = _read(connection, _BATCHES.id == batch_id)
    ready = [p for p in batch.parts if not (p.run or p.skipped or batch.awaits(p))]
    started = [run for part in ready if (run := _start(connection, batch, part))]
    if all(part.done for part in batch.parts):
        ended = sa.update(tables.batches).where(_BATCHES.id == batch_id)
        connection.execute(ended.values(finished_at=_NOW))
    return started


def _start(connection: Connection, batch: Batch, part: Part) -> Run | None:
    """Start the run of a part; one that is on its way already is taken for it."""
    whose, name = batch.organization_id, part.resource
    try:
        with connection.begin_nested():
            requests.refuse_while_plan_waits(connection, whose, name)
            run = requests.start(connection, whose, name, batch.person, trigger=batch.trigger)
    except SyncError as error:
        if error.code == "already_running":
            _note(connection, batch, part, run_id=int(str(error.facts["run"])))
        elif error.code != SOON:
            _note(connection, batch, part, skipped=error.code)
        return None
    _note(connection, batch, part, run_id=run.id)
    return run


def _note(connection: Connection, batch: Batch, part: Part, **became: int | str) -> None:
    here = (_PARTS.batch_id == batch.id, _PARTS.resource == part.resource)
    connection.execute(sa.update(tables.batch_parts).where(*here).values(**became))
