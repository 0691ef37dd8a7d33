"""After how many days an organization drops old values by itself, and when it does so next."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.organizations import timetable
from sync_core.organizations.organization import Organization

AT = "0 3 * * *"  # while nobody works, in the zone of the organization

_KEPT = tables.retentions.c


@dataclass(frozen=True)
class Retention:
    """How long old values are kept."""

    organization_id: int
    days: int
    next_at: datetime  # when those that are older are dropped


def of(connection: Connection, organization_id: int) -> Retention | None:
    """Return what an organization has decided; None where it keeps them for ever."""
    mine = sa.select(tables.retentions).where(_KEPT.organization_id == organization_id)
    row = connection.execute(mine).mappings().one_or_none()
    return Retention(**row) if row else None


def put(
    connection: Connection, organization: Organization, days: int | None, now: datetime
) -> None:
    """Drop values that are older than so many days, each night; None: keep them for ever."""
    if days is None:
        mine = _KEPT.organization_id == organization.id
        connection.execute(sa.delete(tables.retentions).where(mine))
        return
    values = {"days": days, "next_at": _next(organization, now)}
    connection.execute(
        insert(tables.retentions)
        .values(organization_id=organization.id, **values)
        .on_conflict_do_update(index_elements=["organization_id"], set_=values)
    )


def take_due(connection: Connection, now: datetime) -> Retention | None:
    """Lock one whose time has come, until the transaction ends; None where there is none."""
    due = sa.select(tables.retentions).where(_KEPT.next_at <= now).order_by(_KEPT.next_at)
    row = connection.execute(due.limit(1).with_for_update(skip_locked=True)).mappings().first()
    return Retention(**row) if row else None


def go_on(connection: Connection, organization: Organization, now: datetime) -> None:
    """Let it be done again in the night after."""
    mine = _KEPT.organization_id == organization.id
    following = _next(organization, now)
    connection.execute(sa.update(tables.retentions).where(mine).values(next_at=following))


def _next(organization: Organization, now: datetime) -> datetime:
    return timetable.following(AT, ZoneInfo(organization.time_zone), now)[0]
