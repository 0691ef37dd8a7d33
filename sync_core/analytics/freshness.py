"""How much of the time data were as fresh as promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import runs
from sync_core.analytics.definitions import RUNS, ask, share
from sync_core.catalogue import resources
from sync_core.foundation import tables
from sync_core.organizations.policies import Policy
from sync_core.runs.filters import Filter


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
    return [Kept(**row) for row in ask(connection, _summed(_spans(wanted, start, end), start))]


def _spans(wanted: Filter, start: datetime, end: datetime) -> sa.Subquery:
    """Select each moment at which data came in step, and until when they were the newest.

    Each organization and resource by itself, in the order of the index; the first moment is the
    last one before the period, where there is one.
    """
    names = wanted.resource or tuple(resources.CATALOGUE)
    whose = _listed(wanted.organizations, sa.BigInteger, "organization_id")
    which = _listed(names, sa.Text, "resource")
    organization_id, resource = whose.c.organization_id, which.c.resource
    in_step = (
        RUNS.organization_id == organization_id,
        RUNS.resource == resource,
        runs.in_step(tables.runs),
    )
    at = RUNS.finished_at
    before = sa.select(sa.func.max(at).label("at")).where(*in_step, at < start).lateral("before")
    following = sa.func.coalesce(sa.func.lead(at).over(order_by=at), end)
    spans = (
        sa.select(at.label("at"), following.label("until"))
        .where(*in_step, at >= sa.func.coalesce(before.c.at, start), at < end)
        .lateral("spans")
    )
    return (
        sa.select(organization_id, resource, spans.c.at, spans.c.until)
        .select_from(whose)
        .join(which, sa.true())
        .join(before, sa.true())
        .join(spans, sa.true())
        .subquery()
    )


def _listed(
    values: Sequence[object], kind: type[sa.types.TypeEngine[Any]], name: str
) -> sa.TableValuedAlias:
    found = sa.func.unnest(sa.cast(list(values), sa.ARRAY(kind)))
    return found.table_valued(name, name=f"{name}s").render_derived()


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
