"""Who syncs, when in the week, and how the resources compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import runs
from sync_core.analytics.definitions import (
    COMPLETED,
    JUDGED,
    RUNS,
    SECONDS,
    TALLIES,
    WAITED,
    ask,
    how_many,
    local,
    quantile,
    share,
)
from sync_core.foundation.vocabulary import FAILED, ORIGINS, RunStatus
from sync_core.runs import Run, filters, undos
from sync_core.runs.filters import Filter
from sync_core.runs.progress import SHEET_BANDS

HOUR_FIGURES = ("runs", "failures", "p95", "wait")
POINTS = 1_000  # runs in the chart of duration against rows


@dataclass(frozen=True)
class OfResource:
    """The figures of one resource; durations in seconds, of completed runs."""

    resource: str
    runs: int
    judged: int
    completed: int
    mean: float | None
    median: float | None
    p95: float | None

    @property
    def success(self) -> float | None:
        """The run success rate, 0 to 1."""
        return share(self.completed, self.judged)


@dataclass(frozen=True)
class Hour:
    """The runs asked for at an hour of a weekday; times in seconds."""

    weekday: int  # Monday is 1
    hour: int
    runs: int
    failures: int
    p95: float | None
    wait: float | None  # median


@dataclass(frozen=True)
class Done:
    """What a person of a team asked for of one resource."""

    name: str
    email: str
    team: str
    resource: str
    runs: int
    judged: int
    completed: int
    last: datetime


@dataclass(frozen=True)
class Phase:
    """The mean time that a phase of a resource's completed runs took (seconds)."""

    resource: str
    phase: str
    mean: float
    runs: int


@dataclass(frozen=True)
class Point:
    """One completed run: how many rows it read, and how long it took (seconds)."""

    run_id: int
    resource: str
    rows: int
    seconds: float


def of_resources(connection: Connection, wanted: Filter) -> list[OfResource]:
    """Compare the resources."""
    query = (
        sa.select(
            RUNS.resource,
            sa.func.count().label("runs"),
            how_many(*JUDGED).label("judged"),
            how_many(RunStatus.COMPLETED).label("completed"),
            sa.func.avg(SECONDS).filter(COMPLETED).label("mean"),
            quantile(SECONDS, 0.5, COMPLETED).label("median"),
            quantile(SECONDS, 0.95, COMPLETED).label("p95"),
        )
        .where(*filters.runs(wanted))
        .group_by(RUNS.resource)
        .order_by(RUNS.resource)
    )
    return [OfResource(**row) for row in ask(connection, query)]


def hours(connection: Connection, wanted: Filter, zone: ZoneInfo) -> list[Hour]:
    """Tell how busy the hours of the week are."""
    at = local(zone)
    place = sa.cast(
        24 * sa.func.date_part("isodow", at) + sa.func.date_part("hour", at), sa.Integer
    )
    query = (
        sa.select(
            place.label("place"),
            sa.func.count().label("runs"),
            how_many(*FAILED).label("failures"),
            quantile(SECONDS, 0.95, COMPLETED).label("p95"),
            quantile(WAITED, 0.5).label("wait"),
        )
        .where(*filters.runs(wanted))
        .group_by("place")
        .order_by("place")
    )
    return [
        Hour(row["place"] // 24, row["place"] % 24, *(row[name] for name in HOUR_FIGURES))
        for row in ask(connection, query)
    ]


def done(connection: Connection, wanted: Filter) -> list[Done]:
    """Count what people asked for; the busiest first."""
    query = (
        sa.select(
            RUNS.requested_by.label("name"),
            RUNS.requested_email.label("email"),
            RUNS.requested_team.label("team"),
            RUNS.resource,
            sa.func.count().label("runs"),
            how_many(*JUDGED).label("judged"),
            how_many(RunStatus.COMPLETED).label("completed"),
            sa.func.max(RUNS.queued_at).label("last"),
        )
        .where(*filters.runs(wanted))
        .group_by("name", "email", "team", RUNS.resource)
        .order_by(sa.desc("runs"), "email", RUNS.resource)
    )
    return [Done(**row) for row in ask(connection, query)]


def phases(connection: Connection, wanted: Filter) -> list[Phase]:
    """Return where the time of completed runs goes; the means of a resource add up."""
    query = (
        sa.select(
            RUNS.resource,
            sa.func.count().label("runs"),
            *(
                sa.func.avg(
                    sa.func.coalesce(sa.cast(RUNS.phases[band.name].as_string(), sa.Float), 0.0)
                ).label(band.name)
                for band in SHEET_BANDS
            ),
        )
        .where(*filters.runs(wanted), COMPLETED)
        .group_by(RUNS.resource)
        .order_by(RUNS.resource)
    )
    return [
        Phase(row["resource"], band.name, row[band.name], row["runs"])
        for row in ask(connection, query)
        for band in SHEET_BANDS
    ]


def points(connection: Connection, wanted: Filter) -> list[Point]:
    """Return the newest completed runs with their size."""
    newest = (
        sa.select(RUNS.id, RUNS.resource, RUNS.queued_at, SECONDS.label("seconds"))
        .where(*filters.runs(wanted), COMPLETED)
        .order_by(RUNS.queued_at.desc(), RUNS.id.desc())
        .limit(POINTS)
        .subquery()
        .c
    )
    rows = (
        sa.select(sa.cast(sa.func.sum(TALLIES.read), sa.BigInteger).label("rows"))
        .where(TALLIES.run_id == newest.id)
        .lateral("counted")
    )
    query = (
        sa.select(newest.id.label("run_id"), newest.resource, rows.c.rows, newest.seconds)
        .join(rows, sa.true())
        .where(rows.c.rows.is_not(None))
        .order_by(newest.queued_at.desc(), newest.id.desc())
    )
    return [Point(**row) for row in ask(connection, query)]


def last(
    connection: Connection, wanted: Filter, names: Sequence[str], limit: int
) -> Mapping[str, Sequence[Run]]:
    """Return the last runs of each of the resources, oldest first."""
    asked = sa.func.unnest(sa.cast(list(names), sa.ARRAY(sa.Text)))
    each = asked.table_valued("name", name="asked").render_derived()
    newest = (
        sa.select(RUNS.id)
        .where(*filters.runs(wanted), RUNS.resource == each.c.name)
        .order_by(RUNS.queued_at.desc(), RUNS.id.desc())
        .limit(limit)
        .lateral("newest")
    )
    query = sa.select(newest.c.id).select_from(each).join(newest, sa.true())
    ids = [row["id"] for row in ask(connection, query)]
    found: dict[str, list[Run]] = {name: [] for name in names}
    some = undos.marked(connection, runs.some(connection, ids))
    for run in sorted(some, key=lambda run: (run.queued_at, run.id)):
        found[run.resource].append(run)
    return found


def newest(connection: Connection, wanted: Filter, limit: int) -> Sequence[Run]:
    """Return the newest runs that are wanted, the newest first."""
    query = sa.select(RUNS.id).where(*filters.runs(wanted))
    ranked = query.order_by(RUNS.queued_at.desc(), RUNS.id.desc()).limit(limit)
    ids = [row["id"] for row in ask(connection, ranked)]
    found = undos.marked(connection, runs.some(connection, ids))
    return sorted(found, key=lambda run: (run.queued_at, run.id), reverse=True)


def triggers(connection: Connection, wanted: Filter) -> list[str]:
    """List how the runs of the period came about, as `Run.origin` tells it."""
    asked = Filter(organizations=wanted.organizations, since=wanted.since, until=wanted.until)
    origin = sa.case((RUNS.kind.in_(ORIGINS), RUNS.kind), else_=RUNS.trigger).label("origin")
    query = sa.select(origin).where(*filters.runs(asked)).distinct()
    return sorted(row["origin"] for row in ask(connection, query))


def has_made_up(connection: Connection, wanted: Filter) -> bool:
    """Return whether some of the runs are made up: they are the demo's history."""
    made_up = sa.select(RUNS.id).where(*filters.runs(wanted), RUNS.trigger == runs.MADE_UP)
    return bool(ask(connection, sa.select(made_up.exists().label("some")))[0]["some"])
