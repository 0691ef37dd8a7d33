"""How much of the time data were as fresh as promised."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import tables
from sync_core.analytics.asking import IN_STEP, RUNS, ask, share
from sync_core.filters import Filter
from sync_core.policies import Policy


@dataclass(frozen=True)
class Kept:
    """How long a resource was known, and how much of that as fresh as promised (seconds)."""

    resource: str
    promised: float
    known: float
    fresh: float
    longest: float  # between two ends in step, as far as it lies in the period

    @property
    def part(self) -> float | None:
        """The part of the time in which the promise was kept, 0 to 1."""
        return share(self.fresh, self.known)


def kept(connection: Connection, wanted: Filter, now: datetime | None = None) -> list[Kept]:
    """Compare the age of each resource's data with the promise, over the whole period.

    Needs `since` and `until`. What started the runs does not matter to whoever reads the data.
    """
    if wanted.since is None or wanted.until is None:
        raise ValueError("the filter has no period")
    start, end = wanted.since, min(wanted.until, now or datetime.now(UTC))
    rows = ask(connection, _summed(_spans(wanted, start, end), start))
    return [Kept(**row) for row in rows]


def _in_step(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    return [
        RUNS.organization_id.in_(wanted.organizations),
        *([RUNS.resource.in_(wanted.resource)] if wanted.resource else []),
        RUNS.status.in_(IN_STEP),
        RUNS.kind != "preview",
    ]


def _spans(wanted: Filter, start: datetime, end: datetime) -> sa.Subquery:
    """Select each moment at which data came in step, and until when they were the newest."""
    where = (RUNS.organization_id, RUNS.resource)
    before = (
        sa.select(*where, sa.func.max(RUNS.finished_at).label("at"))
        .where(*_in_step(wanted), RUNS.finished_at < start)
        .group_by(*where)
    )
    within = sa.select(*where, RUNS.finished_at.label("at")).where(
        *_in_step(wanted), RUNS.finished_at >= start, RUNS.finished_at < end
    )
    moments = before.union_all(within).subquery().c
    following = sa.func.lead(moments.at).over(
        partition_by=(moments.organization_id, moments.resource), order_by=moments.at
    )
    return sa.select(
        moments.organization_id,
        moments.resource,
        moments.at,
        sa.func.coalesce(following, end).label("until"),
    ).subquery()


def _summed(spans: sa.Subquery, start: datetime) -> sa.Select[tuple[object, ...]]:
    decided, span = tables.policies.c, spans.c
    hours = sa.func.coalesce(decided.fresh_hours, Policy().fresh_hours)
    stale = span.at + sa.func.make_interval(0, 0, 0, 0, hours)
    begin = sa.func.greatest(span.at, start)

    def seconds(until: sa.ColumnElement[object]) -> sa.ColumnElement[float]:
        return sa.func.greatest(0.0, sa.func.date_part("epoch", until - begin), type_=sa.Float)

    known = seconds(span.until)
    return (
        sa.select(
            span.resource,
            (sa.cast(sa.func.min(hours), sa.Float) * 3600).label("promised"),
            sa.func.sum(known).label("known"),
            sa.func.sum(seconds(sa.func.least(span.until, stale))).label("fresh"),
            sa.func.max(known).label("longest"),
        )
        .outerjoin_from(
            spans,
            tables.policies,
            (decided.organization_id == span.organization_id) & (decided.resource == span.resource),
        )
        .group_by(span.resource)
        .order_by(span.resource)
    )
