"""Requests with a key of the asker's own: however often one is sent, it makes one run.

The key is kept in the transaction that makes the run, so neither is ever there without the other.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.organizations.people import Person
from sync_core.runs.run import Run, get

KEPT = timedelta(days=1)

_KEPT = tables.requests_once.c


@dataclass(frozen=True)
class Once:
    """A request that is to be granted once: the asker's key, and a digest of what is asked for."""

    key: str
    asked: str


def earlier(
    connection: Connection, organization_id: int, person: Person, request: Once | None
) -> Run | None:
    """Return the run that the same request made before; None where it is the first.

    A second one waits until the first is done with. Raises SyncError("key_used") where the key was
    another request's.
    """
    if request is None:
        return None
    values = {"key": request.key, "asked": request.asked}
    claimed = connection.execute(
        insert(tables.requests_once)
        .values(organization_id=organization_id, email=person.email, **values)
        .on_conflict_do_nothing()
        .returning(_KEPT.key)
    )
    if claimed.first():
        return None
    kept = connection.execute(
        sa.select(_KEPT.asked, _KEPT.run_id).where(*_is(organization_id, person, request))
    ).one()
    if kept.asked != request.asked:
        raise SyncError("key_used", key=request.key)
    return get(connection, organization_id, kept.run_id)


def keep(connection: Connection, run: Run, person: Person, request: Once | None) -> None:
    """Keep which run a request has made."""
    if request is not None:
        mine = _is(run.organization_id, person, request)
        connection.execute(sa.update(tables.requests_once).where(*mine).values(run_id=run.id))


def forget(
    connection: Connection, organization_id: int, person: Person, request: Once | None
) -> None:
    """Forget a request that has made no run yet: sent again, it is the first."""
    if request is not None:
        mine = _is(organization_id, person, request)
        connection.execute(sa.delete(tables.requests_once).where(*mine))


def drop_old(connection: Connection) -> None:
    """Forget the keys of yesterday."""
    old = _KEPT.at < sa.func.clock_timestamp() - KEPT
    connection.execute(sa.delete(tables.requests_once).where(old))


def _is(organization_id: int, person: Person, request: Once) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _KEPT.organization_id == organization_id,
        _KEPT.email == person.email,
        _KEPT.key == request.key,
    )
