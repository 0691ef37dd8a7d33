"""When each resource of an organization is synced by itself, and what became of each tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.catalogue import resources
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import PauseReason, Role
from sync_core.organizations import schedule_words, timetable
from sync_core.organizations.organization import Organization
from sync_core.organizations.people import Person

NOBODY = Person("Schedule", "schedule@localhost", Role.ADMIN, "Schedule")  # who asks at a tick
SHOWN = 3  # ticks to come

_KEPT, _TICKS = tables.sync_schedules.c, tables.schedule_ticks.c


@dataclass(frozen=True)
class Schedule:
    """When a resource is synced by itself, in the time zone of its organization."""

    organization_id: int
    resource: str
    cron: str
    time_zone: str
    next_at: datetime  # where it is paused: when it would have ticked next
    since: datetime  # it was set, or resumed
    set_by: str
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: PauseReason | None

    @property
    def words(self) -> str:
        """Return when it ticks, to stand within a sentence: "every weekday at 06:30"."""
        return schedule_words.words(self.cron)

    @property
    def zone(self) -> ZoneInfo:
        """Return its time zone."""
        return ZoneInfo(self.time_zone)

    def following(self, now: datetime, number: int = SHOWN) -> Sequence[datetime]:
        """Return the next ticks, in UTC; none while it is paused."""
        if self.paused_at:
            return ()
        return timetable.following(self.cron, self.zone, now, number)


@dataclass(frozen=True)
class Tick:
    """What became of a tick: a run, or the code of the reason why it was skipped."""

    at: datetime
    run_id: int | None
    skipped: str | None
    late: bool = False
    missed: int = 0  # ticks just before it that nobody took note of; its run stands for them, too


def _read(connection: Connection, *which: sa.ColumnElement[bool]) -> list[Schedule]:
    zone = tables.organizations.c.time_zone
    facts = [_KEPT[name] for name in Schedule.__dataclass_fields__ if name != "time_zone"]
    query = sa.select(*facts, zone).join(
        tables.organizations, tables.organizations.c.id == _KEPT.organization_id
    )
    rows = connection.execute(query.where(*which).order_by(_KEPT.next_at)).mappings()
    return [_schedule(row) for row in rows]


def _schedule(row: sa.RowMapping) -> Schedule:
    reason = row["pause_reason"]
    return Schedule(**{**row, "pause_reason": PauseReason(reason) if reason else None})


def of(connection: Connection, organization_id: int) -> Mapping[str, Schedule]:
    """Return the schedules of an organization, by resource, in the order of their pages."""
    found = {
        one.resource: one for one in _read(connection, _KEPT.organization_id == organization_id)
    }
    return {name: found[name] for name in resources.CATALOGUE if name in found}


def get(connection: Connection, organization_id: int, resource: str) -> Schedule:
    """Read the schedule of a resource. Raises SyncError: unknown_resource, no_schedule."""
    name = resources.by_name(resource).name
    found = _read(connection, _KEPT.organization_id == organization_id, _KEPT.resource == name)
    if not found:
        raise SyncError("no_schedule", resource=resources.by_name(resource).title)
    return found[0]


def put(
    connection: Connection,
    organization: Organization,
    resource: str,
    cron: str,
    by: Person,
    now: datetime,
) -> Schedule:
    """Keep the schedule of a resource; the one before is replaced, and a pause ends."""
    first = timetable.following(cron, ZoneInfo(organization.time_zone), now)[0]
    values = {"cron": cron, "next_at": first, "since": now, "set_by": by.name, **_NOT_PAUSED}
    connection.execute(
        insert(tables.sync_schedules)
        .values(organization_id=organization.id, resource=resource, **values)
        .on_conflict_do_update(index_elements=["organization_id", "resource"], set_=values)
    )
    return get(connection, organization.id, resource)


_NOT_PAUSED = {"paused_at": None, "paused_by": None, "pause_reason": None}


def remove(connection: Connection, organization_id: int, resource: str) -> None:
    """Forget the schedule of a resource; what became of its ticks is kept."""
    connection.execute(sa.delete(tables.sync_schedules).where(*_is(organization_id, resource)))


def pause(
    connection: Connection,
    organization_id: int,
    resource: str,
    by: Person,
    reason: PauseReason,
    now: datetime,
) -> bool:
    """Let a schedule rest until somebody resumes it; returns whether it did not rest before."""
    values = {"paused_at": now, "paused_by": by.name, "pause_reason": reason}
    here = (*_is(organization_id, resource), _KEPT.paused_at.is_(None))
    done = connection.execute(sa.update(tables.sync_schedules).where(*here).values(**values))
    return bool(done.rowcount)


def resume(connection: Connection, schedule: Schedule, now: datetime) -> bool:
    """Let a schedule go on with its next tick from now; returns whether it had been paused."""
    first = timetable.following(schedule.cron, schedule.zone, now)[0]
    values = {"next_at": first, "since": now, **_NOT_PAUSED}
    here = (*_is(schedule.organization_id, schedule.resource), _KEPT.paused_at.is_not(None))
    done = connection.execute(sa.update(tables.sync_schedules).where(*here).values(**values))
    return bool(done.rowcount)


def _is(organization_id: int, resource: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _KEPT.organization_id == organization_id, _KEPT.resource == resource


# What the maintenance loops do


def take_due(connection: Connection, now: datetime) -> Schedule | None:
    """Lock a schedule that has ticked, until the transaction ends; None where none has.

    One that another loop holds is passed over: its tick comes once.
    """
    due = (
        sa.select(_KEPT.organization_id, _KEPT.resource)
        .where(_KEPT.paused_at.is_(None), _KEPT.next_at <= now)
        .order_by(_KEPT.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    return _read(connection, *_is(*row))[0] if row else None


def is_noted(connection: Connection, schedule: Schedule, at: datetime) -> bool:
    """Return whether a tick was noted before: where the schedule was set anew at that moment."""
    mine = (_TICKS.organization_id == schedule.organization_id, _TICKS.at == at)
    query = sa.select(_TICKS.at).where(*mine, _TICKS.resource == schedule.resource)
    return connection.execute(query).first() is not None


def note(connection: Connection, schedule: Schedule, tick: Tick) -> None:
    """Note what became of a tick. Raises IntegrityError where that was done before."""
    connection.execute(
        sa.insert(tables.schedule_ticks).values(
            organization_id=schedule.organization_id,
            resource=schedule.resource,
            at=tick.at,
            run_id=tick.run_id,
            skipped=tick.skipped,
            late=tick.late,
            missed=tick.missed,
        )
    )


def go_on(connection: Connection, schedule: Schedule, after: datetime) -> None:
    """Let a schedule tick next after a moment."""
    following = timetable.following(schedule.cron, schedule.zone, after)[0]
    here = _is(schedule.organization_id, schedule.resource)
    connection.execute(sa.update(tables.sync_schedules).where(*here).values(next_at=following))


def ticks(
    connection: Connection, organization_id: int, resource: str, limit: int = 20
) -> list[Tick]:
    """List what became of the last ticks of a resource, the newest first."""
    facts = [_TICKS[name] for name in Tick.__dataclass_fields__]
    mine = (_TICKS.organization_id == organization_id, _TICKS.resource == resource)
    query = sa.select(*facts).where(*mine).order_by(_TICKS.at.desc()).limit(limit)
    return [Tick(**row) for row in connection.execute(query).mappings()]


def drop_old(connection: Connection, before: datetime) -> None:
    """Forget what became of ticks before; their runs are kept."""
    connection.execute(sa.delete(tables.schedule_ticks).where(_TICKS.noted_at < before))
