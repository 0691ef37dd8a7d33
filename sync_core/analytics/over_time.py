"""How the figures of a period go, by day or by hour; where nothing ran there is no row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.analytics.definitions import (
    COMPLETED,
    RUNS,
    SECONDS,
    TALLIES,
    WAITED,
    Unit,
    ask,
    bucket,
    quantile,
    tallied,
)
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, OutcomeKind
from sync_core.organizations import actions
from sync_core.organizations.actions import ChangedSetting
from sync_core.runs import filters, sheet_facts
from sync_core.runs.filters import Filter


@dataclass(frozen=True)
class Ended:
    """How many runs of a kind and resource, asked for at this time, are in a status."""

    at: datetime
    resource: str
    kind: str
    status: str
    runs: int


@dataclass(frozen=True)
class Took:
    """How long the completed runs of a resource took (seconds)."""

    at: datetime
    resource: str
    runs: int
    median: float
    p95: float


@dataclass(frozen=True)
class Timed:
    """How long the completed runs of all resources took (seconds)."""

    at: datetime
    median: float
    p95: float


@dataclass(frozen=True)
class Waited:
    """How long runs waited in the queue, and how long the completed ones took (seconds)."""

    at: datetime
    runs: int
    wait_median: float
    wait_p95: float
    run_median: float | None


@dataclass(frozen=True)
class Handled:
    """What the runs did to rows: sums."""

    at: datetime
    runs: int
    created: int
    updated: int
    unchanged: int
    removed: int
    skipped: int
    failed: int


@dataclass(frozen=True)
class Mark:
    """Something changed that may change how runs go."""

    at: datetime
    resource: str
    what: str  # "headers of Locations", or what somebody set


def ended(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Ended]:
    """Count the runs by time, resource, kind and status."""
    by = (bucket(zone, unit).label("at"), RUNS.resource, RUNS.kind, RUNS.status)
    query = sa.select(*by, sa.func.count().label("runs")).where(*filters.runs(wanted))
    grouped = query.group_by("at", RUNS.resource, RUNS.kind, RUNS.status)
    return [Ended(**row) for row in ask(connection, grouped.order_by("at", RUNS.resource))]


def took(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Took]:
    """Time the completed runs, by time and resource."""
    query = (
        sa.select(
            bucket(zone, unit).label("at"),
            RUNS.resource,
            sa.func.count().label("runs"),
            quantile(SECONDS, 0.5).label("median"),
            quantile(SECONDS, 0.95).label("p95"),
        )
        .where(*filters.runs(wanted), COMPLETED)
        .group_by("at", RUNS.resource)
        .order_by("at", RUNS.resource)
    )
    return [Took(**row) for row in ask(connection, query)]


def timed(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Timed]:
    """Time the completed runs of all resources together, by time."""
    query = sa.select(
        bucket(zone, unit).label("at"),
        quantile(SECONDS, 0.5).label("median"),
        quantile(SECONDS, 0.95).label("p95"),
    ).where(*filters.runs(wanted), COMPLETED)
    return [Timed(**row) for row in ask(connection, query.group_by("at").order_by("at"))]


def waited(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Waited]:
    """Time the queue apart from the work, by time."""
    query = (
        sa.select(
            bucket(zone, unit).label("at"),
            sa.func.count().label("runs"),
            quantile(WAITED, 0.5).label("wait_median"),
            quantile(WAITED, 0.95).label("wait_p95"),
            quantile(SECONDS, 0.5, COMPLETED).label("run_median"),
        )
        .where(*filters.runs(wanted), RUNS.started_at.is_not(None))
        .group_by("at")
        .order_by("at")
    )
    return [Waited(**row) for row in ask(connection, query)]


def handled(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Handled]:
    """Sum up what the runs did to rows, by time."""
    at = bucket(zone, unit).label("at")
    ran = (
        sa.select(at, sa.func.count().label("runs"))
        .where(*filters.runs(wanted), RUNS.status.in_(APPLIED))
        .group_by("at")
        .subquery()
    )
    sums = (
        tallied(
            connection,
            wanted,
            at,
            *(
                sa.cast(sa.func.sum(TALLIES[kind]), sa.BigInteger).label(kind)
                for kind in OutcomeKind
            ),
        )
        .group_by("at")
        .subquery()
    )
    query = sa.select(ran.c.runs, *sums.c).join_from(ran, sums, ran.c.at == sums.c.at)
    return [Handled(**row) for row in ask(connection, query.order_by(sums.c.at))]


def marks(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> list[Mark]:
    """List when settings of a resource, or the headers of its sheets, changed."""
    found = [*_settings(connection, wanted), *_headers(connection, wanted, zone, unit)]
    return sorted(found, key=lambda mark: mark.at)


def _settings(connection: Connection, wanted: Filter) -> Sequence[Mark]:
    done = tables.actions.c
    asked = Filter(
        organizations=wanted.organizations,
        since=wanted.since,
        until=wanted.until,
        resource=wanted.resource,
    )
    query = sa.select(done.at, done.resource, done.detail).where(
        *filters.actions(asked), done.kind == ChangedSetting.kind, done.resource.is_not(None)
    )
    return [
        Mark(row["at"], row["resource"], change.what)
        for row in ask(connection, query)
        if isinstance(change := actions.read(ChangedSetting.kind, row["detail"]), ChangedSetting)
    ]


def _headers(connection: Connection, wanted: Filter, zone: ZoneInfo, unit: Unit) -> Iterator[Mark]:
    """Compare the headers of the last good run of each day, or hour, with those before."""
    last = (
        sa.select(
            RUNS.organization_id, bucket(zone, unit).label("at"), sa.func.max(RUNS.id).label("id")
        )
        .where(*filters.runs(wanted), RUNS.status.in_(APPLIED))
        .group_by(RUNS.organization_id, RUNS.resource, "at")
    )
    times = {row["id"]: row for row in ask(connection, last)}
    sheet = tables.checkpoints.c
    query = (
        sa.select(RUNS.id, RUNS.resource, sheet.entity, sheet_facts.HEADERS.label("headers"))
        .join(tables.runs, RUNS.id == sheet.run_id)
        .where(sheet.run_id.in_(list(times)))
    )
    before: dict[tuple[int, str], Any] = {}
    for row in sorted(ask(connection, query), key=lambda row: (times[row["id"]]["at"], row["id"])):
        whose = (times[row["id"]]["organization_id"], row["entity"])
        if row["headers"] and before.get(whose, row["headers"]) != row["headers"]:
            what = f"the headers of {row['entity']}"
            yield Mark(times[row["id"]]["at"], row["resource"], what)
        before[whose] = row["headers"] or before.get(whose)
