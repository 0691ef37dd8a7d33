"""The inbox of a person: what they were told in the pages, and what they have read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import NoticeKind
from sync_core.organizations.people import Person

KEPT_DAYS = 90

_NOTICES = tables.notices.c


@dataclass(frozen=True)
class Notice:
    """Something that one person was told; `words.title` says it in a few words."""

    id: int
    kind: NoticeKind
    resource: str
    run_id: int | None
    text: str  # a sentence or two
    own: bool  # they asked for the run
    at: datetime
    read_at: datetime | None


def of_person(
    connection: Connection,
    organization_id: int,
    person: Person,
    *,
    limit: int = 50,
    after: int = 0,
) -> list[Notice]:
    """List what a person was told, newest first; with `after`, only what came after a notice."""
    columns = (_NOTICES[name] for name in Notice.__dataclass_fields__)
    query = sa.select(*columns).where(*_of(organization_id, person), _NOTICES.id > after)
    rows = connection.execute(query.order_by(_NOTICES.id.desc()).limit(limit))
    return [Notice(**{**row, "kind": NoticeKind(row["kind"])}) for row in rows.mappings()]


def newest(connection: Connection) -> int:
    """Return the number of the last notice that anybody was given anywhere; 0 where there is none.

    Whoever has seen what came up to it need not ask again until it has changed.
    """
    last = sa.select(sa.func.coalesce(sa.func.max(_NOTICES.id), 0))
    return int(connection.execute(last).scalar_one())


def unread(
    connection: Connection, organization_id: int, person: Person, up_to: int | None = None
) -> int:
    """Count what a person has not read yet, up to a notice."""
    whose = [*_of(organization_id, person), _NOTICES.read_at.is_(None)]
    if up_to is not None:
        whose.append(_NOTICES.id <= up_to)
    return connection.execute(sa.select(sa.func.count()).where(*whose)).scalar_one()


def mark_read(
    connection: Connection,
    organization_id: int,
    person: Person,
    notices: Sequence[int] | None = None,
) -> None:
    """Note that a person has read these notices; None: all that they were told so far."""
    which = () if notices is None else (_NOTICES.id.in_(notices),)
    _mark(connection, *_of(organization_id, person), *which)


def mark_run_read(connection: Connection, organization_id: int, person: Person, run: int) -> None:
    """Note that a person has read what they were told of a run."""
    _mark(connection, *_of(organization_id, person), _NOTICES.run_id == run)


def _mark(connection: Connection, *which: sa.ColumnElement[bool]) -> None:
    unread = sa.update(tables.notices).where(*which, _NOTICES.read_at.is_(None))
    connection.execute(unread.values(read_at=sa.func.clock_timestamp()))


def drop_old(connection: Connection, now: datetime) -> None:
    """Drop what nobody looks for any more."""
    old = _NOTICES.at < now - timedelta(days=KEPT_DAYS)
    connection.execute(sa.delete(tables.notices).where(old))


def _of(organization_id: int, person: Person) -> Sequence[sa.ColumnElement[bool]]:
    return _NOTICES.organization_id == organization_id, _NOTICES.email == person.email
