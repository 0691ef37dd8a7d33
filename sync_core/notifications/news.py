"""What happened of which nobody was told yet; a run that ends or waits is noted by a trigger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables

TELLING_LOCK = 7_300_231  # advisory, of whoever tells: one after the other, in the order of things
AT_ONCE = 200  # so that a transaction stays short

_NEWS = tables.news.c


@dataclass(frozen=True)
class News:
    """Something that happened to a resource: a run ended or waits, or its schedule was paused."""

    id: int
    organization_id: int
    resource: str
    run_id: int | None  # None: its schedule was paused, for the reason
    status: str | None  # of the run, at the moment
    reason: str
    at: datetime


def paused(connection: Connection, organization_id: int, resource: str, reason: str) -> None:
    """Note that the schedule of a resource was paused, in the transaction that pauses it.

    The `reason` is a sentence for people.
    """
    values = {"organization_id": organization_id, "resource": resource, "reason": reason}
    connection.execute(sa.insert(tables.news).values(**values))


def is_my_turn(connection: Connection) -> bool:
    """Return whether this transaction tells; False while another one does."""
    lock = sa.func.pg_try_advisory_xact_lock(TELLING_LOCK)
    return bool(connection.execute(sa.select(lock)).scalar())


def take(connection: Connection) -> Sequence[News]:
    """Take the oldest news away, to tell them in this transaction, whose turn it is."""
    oldest = sa.select(_NEWS.id).order_by(_NEWS.id).limit(AT_ONCE)
    rows = connection.execute(
        sa.delete(tables.news)
        .where(_NEWS.id.in_(oldest.scalar_subquery()))
        .returning(*(_NEWS[name] for name in News.__dataclass_fields__))
    )
    return sorted((News(*row) for row in rows), key=lambda one: one.id)
