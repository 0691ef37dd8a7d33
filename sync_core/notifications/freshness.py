"""The promise of how old a resource may be: told when it is broken, and when it is kept again."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import NoticeKind, Topic
from sync_core.notifications.judging import Telling
from sync_core.organizations.policies import Policy
from sync_core.runs.promise import Promise

_KEPT, _POLICIES = tables.conditions.c, tables.policies.c


def changes(connection: Connection, now: datetime) -> Iterator[Telling]:
    """Find the promises that were broken, or are kept again since more was allowed."""
    hours = sa.func.coalesce(_POLICIES.fresh_hours, Policy().fresh_hours)
    until = _KEPT.since + sa.func.make_interval(0, 0, 0, 0, hours)
    is_over, was_told = until < now, _KEPT.state == NoticeKind.STALE
    joined = tables.conditions.outerjoin(
        tables.policies,
        (_POLICIES.organization_id == _KEPT.organization_id)
        & (_POLICIES.resource == _KEPT.resource),
    )
    found = connection.execute(
        sa.select(_KEPT.organization_id, _KEPT.resource, _KEPT.run_id, _KEPT.since, hours)
        .select_from(joined)
        .where(_KEPT.topic == Topic.FRESHNESS, is_over != was_told)
    ).all()
    for organization_id, resource, run_id, since, allowed in found:
        promise = Promise(since, allowed)
        kind = NoticeKind.FRESH if promise.is_kept(now) else NoticeKind.STALE
        _remember(connection, organization_id, resource, kind)
        text = f"{promise.sentence(now)}."
        yield Telling(kind, organization_id, resource, run_id, text, now)


def _remember(
    connection: Connection, organization_id: int, resource: str, kind: NoticeKind
) -> None:
    whose = (_KEPT.organization_id == organization_id, _KEPT.resource == resource)
    connection.execute(
        sa.update(tables.conditions)
        .where(*whose, _KEPT.topic == Topic.FRESHNESS)
        .values(state=kind)
    )
