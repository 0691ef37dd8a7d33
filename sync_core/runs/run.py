"""Runs: the truth about every sync; asked for here, worked on under a lease."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import (
    ACTIVE,
    APPLIED,
    CHANGED,
    FAILED,
    IN_STEP,
    ORIGINS,
    OutcomeKind,
    RunKind,
    RunStatus,
)
from sync_core.runs import filters, turns
from sync_core.runs.filters import Filter
from sync_core.runs.lease import DECLINED, lease_is_over
from sync_core.runs.plans import Plans


@dataclass(frozen=True)
class Undone:
    """Which undo took a run back and was not undone itself, when, and how far."""

    by: int
    at: datetime
    in_part: bool  # something was kept, or could not be put back
    failed: bool  # something could not be put back, but may be by now


@dataclass(frozen=True)
class Run:
    """One execution of one resource for one organization."""

    id: int
    organization_id: int
    resource: str
    kind: RunKind
    trigger: str
    status: RunStatus
    attempt: int
    requested_by: str
    requested_email: str
    requested_team: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str
    log_message: str
    error_code: str | None
    advice: str
    notes: list[str]
    phases: dict[str, float]
    lost: bool  # running, but its lease is over: nobody works on it
    cancelling: bool
    undoes: int | None  # the run that this one undoes
    scheduled_for: datetime | None = None  # the tick of the schedule that started it
    late: bool = False  # it was started after that, for itself and for ticks that were missed
    undone: Undone | None = None  # where `undos.marked` looked for it
    worked: float | None = None  # seconds of its attempts, where its plan waited for a person
    nothing_undone: bool = False  # an undo that was applied, and found nothing to put back

    @property
    def active(self) -> bool:
        """Return whether it is on its way."""
        return self.status in ACTIVE

    @property
    def declined(self) -> bool:
        """Return whether it ended because a person declined its plan."""
        return self.status == RunStatus.CANCELLED and self.message == DECLINED

    @property
    def dropped_plan(self) -> bool:
        """Return whether it ended with a plan that was never applied."""
        return self.declined or self.status == RunStatus.EXPIRED

    @property
    def partly(self) -> bool:
        """Return whether it was applied and some rows failed."""
        return self.status == RunStatus.PARTIAL

    @property
    def origin(self) -> str:
        """Return how it came about: "retry" or "undo", else its trigger."""
        return self.kind if self.kind in ORIGINS else self.trigger

    @property
    def seconds(self) -> float | None:
        """Return the seconds of work, without the waits in the queue and for a decision."""
        if self.finished_at is None:
            return None
        if self.worked is not None:
            return self.worked
        return None if self.started_at is None else _seconds(self.started_at, self.finished_at)


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()


Tallies = Mapping[str, Mapping[str, Any]]  # of a run: entity -> kind of outcome -> count

MADE_UP = "demo data"  # the trigger of the made-up runs in the demo's history


def worked() -> sa.ColumnElement[float | None]:
    """Return the seconds of a run's attempts, of one whose plan waited for a person; else null."""
    done = tables.attempts.c
    took = sa.func.date_part("epoch", done.ended_at - done.started_at, type_=sa.Float)
    of_all = sa.select(sa.func.sum(took)).where(done.run_id == tables.runs.c.id).scalar_subquery()
    return sa.case((tables.runs.c.plans.is_not(None), of_all))


def changed_rows() -> sa.ColumnElement[bool]:
    """Return the condition that a run created, updated or removed rows."""
    counts = tables.tallies.c
    changed = sum((counts[kind] for kind in CHANGED), start=sa.literal(0))
    return sa.exists().where(counts.run_id == tables.runs.c.id, changed > 0)


def nothing_undone() -> sa.ColumnElement[bool]:
    """Return the condition that a run is an undo which was applied and put nothing back."""
    run = tables.runs.c
    is_undo = (run.kind == RunKind.UNDO) & run.status.in_(APPLIED)
    return sa.case((is_undo, ~changed_rows()), else_=sa.false())


_RUNS, _LEASES, _TICKS = tables.runs.c, tables.leases.c, tables.schedule_ticks.c
_REAL = _RUNS.trigger != MADE_UP  # a made-up run makes nothing fresh, or late
_NOW = sa.func.clock_timestamp()
_IS_LOST = (_RUNS.status == RunStatus.RUNNING) & lease_is_over()
_ELSEWHERE = {
    "lost",
    "cancelling",
    "scheduled_for",
    "late",
    "undone",
    "worked",
    "nothing_undone",
}  # not in the run's own row
_READ = sa.select(
    *(tables.runs.c[f] for f in Run.__dataclass_fields__ if f not in _ELSEWHERE),
    sa.func.coalesce(_IS_LOST, sa.false()).label("lost"),
    _LEASES.cancel_requested_at.is_not(None).label("cancelling"),
    _TICKS.at.label("scheduled_for"),
    sa.func.coalesce(_TICKS.late, sa.false()).label("late"),
    worked().label("worked"),
    nothing_undone().label("nothing_undone"),
).select_from(
    tables.runs.outerjoin(tables.leases, _LEASES.run_id == _RUNS.id).outerjoin(
        tables.schedule_ticks, _TICKS.run_id == _RUNS.id
    )
)


def _rows(connection: Connection, query: sa.Select[Any]) -> list[Run]:
    return [
        Run(**{**row, "kind": RunKind(row["kind"]), "status": RunStatus(row["status"])})
        for row in connection.execute(query).mappings()
    ]


def get(connection: Connection, organization_id: int, run_id: int) -> Run:
    """Read a run of the organization. Raises SyncError("unknown_run")."""
    found = _rows(
        connection,
        _READ.where(_RUNS.id == run_id, _RUNS.organization_id == organization_id),
    )
    if not found:
        raise SyncError("unknown_run", run=run_id)
    return found[0]


def latest(connection: Connection, organization_id: int) -> dict[str, Run]:
    """Return each resource's run that matters now: the active one, else the newest."""
    names = _resources_of(organization_id)
    active = _first(names, organization_id, _ONE.id.desc(), _ONE.status.in_(ACTIVE))
    newest = _first(names, organization_id, _ONE.id.desc())
    return _by_resource(connection, names, sa.func.coalesce(active, newest))


def fresh(connection: Connection, organization_id: int) -> dict[str, Run]:
    """Return each resource's newest run that brought its tables in step."""
    names = _resources_of(organization_id)
    newest = _first(names, organization_id, _ONE.finished_at.desc(), in_step(_ONE_RUN))
    return _by_resource(connection, names, newest)


def setbacks(connection: Connection, organization_id: int) -> dict[str, Run]:
    """Return each resource's newest run since it was in step that failed, or was declined.

    A sync failed, or guards held its plan back and a person declined it; whatever else ran
    meanwhile, the source was not applied since.
    """
    names = _resources_of(organization_id)
    is_sync, held = _ONE.kind.in_(IN_STEP), _ONE.plans["tripped"].astext.not_in(["[]"])
    of_source = _ONE.kind != RunKind.UNDO  # an undo says nothing of the source
    failed = is_sync & _ONE.status.in_(FAILED)
    declined = (_ONE.status == RunStatus.CANCELLED) & (_ONE.message == DECLINED) & held & of_source
    told = sa.or_(in_step(_ONE_RUN), failed, declined)
    newest = _by_resource(connection, names, _first(names, organization_id, _ONE.id.desc(), told))
    return {name: run for name, run in newest.items() if run.status not in APPLIED}


def in_step(runs: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a run, of the table or an alias, brought its tables in step.

    The index `runs_in_step` has exactly these.
    """
    return runs.c.status.in_(APPLIED) & runs.c.kind.in_(IN_STEP)


_ONE_RUN = tables.runs.alias("run")  # of a resource's runs
_ONE = _ONE_RUN.c


def _resources_of(organization_id: int) -> sa.CTE:
    """Select the resources that have runs, one step in an index each: there may be many runs."""
    ours = _ONE.organization_id == organization_id
    first = sa.select(sa.func.min(_ONE.resource).label("resource")).where(ours)
    names = first.cte("names", recursive=True)
    following = sa.select(sa.func.min(_ONE.resource)).where(ours, _ONE.resource > names.c.resource)
    step = sa.select(following.scalar_subquery()).where(names.c.resource.is_not(None))
    return names.union_all(step)


def _first(
    names: sa.CTE,
    organization_id: int,
    order: sa.ColumnElement[Any],
    *which: sa.ColumnElement[bool],
) -> sa.ScalarSelect[int]:
    """Select the run of each resource that comes first; in an order that an index has."""
    whose = (_ONE.organization_id == organization_id, _ONE.resource == names.c.resource)
    found = sa.select(_ONE.id).where(*whose, *which).order_by(order).limit(1)
    return found.correlate(names).scalar_subquery()


def _by_resource(
    connection: Connection, names: sa.CTE, run_id: sa.ColumnElement[int]
) -> dict[str, Run]:
    """Read these runs but for made-up ones, which are older than every real one."""
    ids = sa.select(run_id).select_from(names).where(names.c.resource.is_not(None))
    ids = ids.offset(0)  # by itself: behind a policy no index is asked for what a query works out
    return {run.resource: run for run in _rows(connection, _READ.where(_RUNS.id.in_(ids), _REAL))}


def history(
    connection: Connection, organization_id: int, resource: str | None = None, limit: int = 20
) -> list[Run]:
    """List the runs of a resource, or of all, newest first."""
    wanted = Filter(organizations=(organization_id,), resource=(resource,) if resource else ())
    return found(connection, wanted, limit)


def count(connection: Connection, wanted: Filter) -> int:
    """Count the runs that the filter finds."""
    query = sa.select(sa.func.count()).select_from(tables.runs)
    return int(connection.execute(query.where(*filters.runs(wanted))).scalar_one())


def found(
    connection: Connection,
    wanted: Filter,
    limit: int = 50,
    before: int | None = None,
    offset: int = 0,
) -> list[Run]:
    """List the runs that the filter finds, newest first; those `before` a run alone."""
    query = _READ.where(*filters.runs(wanted))
    if before is not None:
        query = query.where(_RUNS.id < before)
    return _rows(connection, query.order_by(_RUNS.id.desc()).limit(limit).offset(offset))


def some(connection: Connection, run_ids: Sequence[int]) -> list[Run]:
    """Read these runs, oldest first, whoever's they are: the caller has asked for them by right."""
    if not run_ids:
        return []
    return _rows(connection, _READ.where(_RUNS.id.in_(run_ids)).order_by(_RUNS.id))


def tallies(connection: Connection, run_ids: Sequence[int]) -> Mapping[int, Tallies]:
    """Return the counts of each of these runs that has any: of one that waits, what is planned."""
    rows = connection.execute(
        sa.select(tables.tallies)
        .where(tables.tallies.c.run_id.in_(run_ids))
        .order_by(tables.tallies.c.run_id, tables.tallies.c.entity)
    )
    found: dict[int, dict[str, Mapping[str, Any]]] = {}
    for row in rows.mappings():
        counts = {name: row[name] for name in ("read", *OutcomeKind, "blank", "rules")}
        found.setdefault(row["run_id"], {})[row["entity"]] = counts
    return {**found, **_planned(connection, run_ids)}


def _planned(connection: Connection, run_ids: Sequence[int]) -> Mapping[int, Tallies]:
    waits = (_RUNS.id.in_(run_ids), _RUNS.status == RunStatus.WAITING, _RUNS.plans.is_not(None))
    kept = connection.execute(sa.select(_RUNS.id, _RUNS.plans).where(*waits))
    return {run_id: Plans.from_json(plans).tallies for run_id, plans in kept}


def queue_positions(connection: Connection, organization_id: int) -> dict[int, int]:
    """Return the place of each queued run among all that wait for a worker; 1 is the next."""
    ours = (_RUNS.organization_id == organization_id, _RUNS.status == RunStatus.QUEUED)
    mine = set(connection.execute(sa.select(_RUNS.id).where(*ours)).scalars())
    order = turns.in_order(connection) if mine else []
    return {run_id: place for place, run_id in enumerate(order, 1) if run_id in mine}


def usual_phases(connection: Connection, organization_id: int, resource: str) -> dict[str, float]:
    """Return the median seconds of each phase in the resource's last ten runs that came through."""
    last = (
        sa.select(_RUNS.phases)
        .where(_RUNS.organization_id == organization_id, _RUNS.resource == resource)
        .where(in_step(tables.runs), _REAL)
        .order_by(_RUNS.id.desc())
        .limit(10)
    )
    took: dict[str, list[float]] = {}
    for phases in connection.execute(last).scalars():
        for name, seconds in phases.items():
            took.setdefault(name, []).append(float(seconds))
    return {name: statistics.median(found) for name, found in took.items()}
