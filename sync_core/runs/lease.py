"""Leases: the right to work on a run, and the only ways in which a run changes its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Limits

LEASE = 12  # seconds that an attempt may go without a heartbeat
HEARTBEAT = 1  # seconds between two heartbeats
CRASHES = 3  # as many fail a run
OBEY = 10  # seconds after which a cancel is enforced
DECIDE = 24  # hours for which a plan waits for a person
MERCY = 1000  # milliseconds for a backend of Postgres to end

# Every arrow that a run may take; Postgres refuses all others (a test compares the two).
TRANSITIONS: dict[tuple[str, str], str] = {
    ("queued", "running"): "a worker claims it",
    ("queued", "cancelled"): "cancelled before a worker came",
    ("queued", "timed_out"): "no worker came within the time limit",
    ("running", "completed"): "every row is in step",
    ("running", "partial"): "applied, but some rows need a person",
    ("running", "failed"): "the source, the plan or the apply failed; the target is as it was",
    ("running", "cancelled"): "the worker obeyed, or was made to",
    ("running", "timed_out"): "the time limit passed",
    ("running", "waiting"): "the plan waits for a person",
    ("running", "interrupted"): "the worker died or was asked to stop, or Postgres went away",
    ("interrupted", "queued"): "it goes on by itself",
    ("interrupted", "failed"): "it crashed too often",
    ("interrupted", "cancelled"): "cancelled while no worker had it",
    ("interrupted", "timed_out"): "the time limit passed while no worker had it",
    ("waiting", "queued"): "a person confirmed the plan",
    ("waiting", "cancelled"): "a person declined the plan",
    ("waiting", "expired"): "nobody decided in time",
}
Conditions = Sequence[sa.ColumnElement[bool]]
ENDED = frozenset(tables.STATUSES) - {"queued", "running", "waiting", "interrupted"}


class LeaseLostError(Exception):
    """The run was closed or taken over: this attempt may not write any more."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a run: its id and attempt are the fence."""

    run_id: int
    attempt: int
    organization_id: int
    resource: str
    kind: str


@dataclass(frozen=True)
class News:
    """What an attempt learns with its heartbeat."""

    cancelled: bool  # somebody asked for it
    active: float  # seconds since the run was asked for


@dataclass(frozen=True)
class Ending:
    """How a run ends, in words for the screen and for the log."""

    status: str
    message: str
    log_message: str = ""
    error_code: str | None = None
    advice: str = ""
    notes: Sequence[str] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    log: Sequence[Mapping[str, Any]] = ()  # lines of the attempt


_RUNS, _LEASES = tables.runs.c, tables.leases.c
_NOW = sa.func.clock_timestamp()
_LASTING = timedelta(seconds=LEASE)
_CLAIM = (_RUNS.id, _RUNS.attempt, _RUNS.organization_id, _RUNS.resource, _RUNS.kind)


# What an attempt does


def claim(connection: Connection, run_id: int, worker: str) -> Claim | None:
    """Take a queued run for one attempt; None where somebody else has it, or it ended.

    `worker` is the name under which Postgres knows the process (`db.name`).
    """
    row = connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.id == run_id, _RUNS.status == "queued")
        .values(
            status="running",
            attempt=_RUNS.attempt + 1,
            started_at=sa.func.coalesce(_RUNS.started_at, _NOW),
        )
        .returning(*_CLAIM)
    ).one_or_none()
    if row is None:
        return None
    values = {"run_id": run_id, "attempt": row.attempt, "worker": worker}
    connection.execute(sa.insert(tables.attempts).values(**values))
    connection.execute(sa.insert(tables.leases).values(lease_until=_NOW + _LASTING, **values))
    return Claim(*row)


def renew(connection: Connection, held: Claim) -> News:
    """Prove that the attempt lives. Raises LeaseLostError where its run was closed."""
    age = sa.func.extract("epoch", _NOW - _RUNS.active_since)
    row = connection.execute(
        sa.update(tables.leases)
        .where(_LEASES.run_id == held.run_id, _LEASES.attempt == held.attempt)
        .where(_RUNS.id == _LEASES.run_id)
        .values(lease_until=_NOW + _LASTING)
        .returning(_LEASES.cancel_requested_at.is_not(None), sa.cast(age, sa.Float))
    ).one_or_none()
    if row is None:
        raise LeaseLostError
    return News(*row)


def fence(connection: Connection, held: Claim) -> None:
    """Hold the run open until this transaction ends. Raises LeaseLostError."""
    found = connection.execute(
        sa.select(_RUNS.id)
        .where(*_is_held(held))
        .with_for_update(read=True)  # whoever closes the run waits for the transaction
    ).one_or_none()
    if found is None:
        raise LeaseLostError


def _is_held(held: Claim) -> Conditions:
    return [_RUNS.id == held.run_id, _RUNS.attempt == held.attempt, _RUNS.status == "running"]


def finish(connection: Connection, held: Claim, ending: Ending) -> None:
    """End the run; the last statements of its transaction. Raises LeaseLostError.

    The audit's link is made at the commit: until then the attempt ends as well, and nobody waits.
    """
    connection.execute(sa.text("set constraints runs_are_linked deferred"))
    if not close(connection, _is_held(held), ending):
        raise LeaseLostError
    _end_attempt(connection, held.run_id, ending.status, ending.log)


def interrupt(
    connection: Connection,
    held: Claim,
    why: str,
    *,
    crashed: bool,
    log: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """Close an attempt that cannot go on; tells whether it was still to be closed.

    The run goes on elsewhere (`resume`), unless somebody has asked to cancel it.
    """
    changed = connection.execute(
        sa.update(tables.runs)
        .where(*_is_held(held))
        .values(status="interrupted", crashes=_RUNS.crashes + int(crashed))
    )
    if not changed.rowcount:
        return False
    if _end_attempt(connection, held.run_id, why, log):
        close(connection, [_RUNS.id == held.run_id], cancelled())
    return True


def _end_attempt(
    connection: Connection, run_id: int, how: str, log: Sequence[Mapping[str, Any]] = ()
) -> bool:
    """Give the lease up; tells whether somebody has asked to cancel."""
    cancel = connection.execute(
        sa.delete(tables.leases)
        .where(_LEASES.run_id == run_id)
        .returning(_LEASES.cancel_requested_at)
    ).scalar()
    ended = tables.attempts.c
    connection.execute(
        sa.update(tables.attempts)
        .where(ended.run_id == run_id, ended.ended_at.is_(None))
        .values(ended_at=_NOW, ended=how, log=list(log))
    )
    return cancel is not None


# How a run ends


def close(connection: Connection, which: Conditions, ending: Ending) -> bool:
    """End the runs that are `which`; tells whether there were any."""
    values: dict[str, Any] = {
        "status": ending.status,
        "message": ending.message,
        "log_message": ending.log_message or ending.message,
        "error_code": ending.error_code,
        "advice": ending.advice,
        "notes": list(ending.notes),
        "phases": dict(ending.phases),
    }
    if ending.status in ENDED:
        values["finished_at"] = _NOW
    changed = connection.execute(sa.update(tables.runs).where(*which).values(values))
    return bool(changed.rowcount)


def cancelled() -> Ending:
    """Give the ending of a cancelled run: applying is all or nothing."""
    return Ending("cancelled", "Cancelled. Nothing was changed.")


def overdue(limit: float) -> Ending:
    """Give the ending of a run that took longer than `limit` seconds."""
    error = SyncError("timed_out", minutes=max(1, round(limit / 60)))
    return Ending("timed_out", error.sentence, error_code=error.code, advice=error.advice)


# What others do for an attempt that cannot do it itself


def close_dead(
    connection: Connection,
    organization_id: int | None = None,
    resource: str | None = None,
    grace: float = LEASE,
) -> list[int]:
    """Interrupt the attempts whose lease is over (of one resource, or all).

    Not within `grace` seconds of Postgres' own start: nobody could prove to be alive before it.
    """
    which = [
        _LEASES.lease_until < _NOW,
        sa.func.pg_postmaster_start_time() + timedelta(seconds=grace) < _NOW,
    ]
    if organization_id is not None:
        which.append(_RUNS.organization_id == organization_id)
    if resource is not None:
        which.append(_RUNS.resource == resource)
    dead = _seize(connection, which)
    for held in dead:
        interrupt(connection, held, "its worker went silent", crashed=True)
    return [held.run_id for held in dead]


def close_killed(connection: Connection, worker: str, how: str) -> list[int]:
    """Interrupt the attempt of a process that is known to be dead."""
    dead = _seize(connection, [_LEASES.worker == worker])
    for held in dead:
        interrupt(connection, held, how, crashed=True)
    return [held.run_id for held in dead]


def enforce_cancels(connection: Connection) -> list[int]:
    """Close the runs whose worker did not obey a cancel."""
    deadline = _LEASES.cancel_requested_at + timedelta(seconds=OBEY)
    disobedient = _seize(connection, [deadline < _NOW])
    for held in disobedient:
        finish(connection, held, cancelled())
    return [held.run_id for held in disobedient]


def close_overdue(connection: Connection, limits: Limits) -> list[int]:
    """Time out the runs that are active for longer than their limit."""
    is_over = _RUNS.active_since + _lasting(limits) < _NOW
    running = _seize(connection, [is_over])
    for held in running:
        finish(connection, held, overdue(limit(connection, limits, held.run_id)))
    idle = connection.execute(
        sa.select(_RUNS.id)
        .where(_RUNS.status.in_(("queued", "interrupted")), is_over)
        .with_for_update(skip_locked=True)
    )
    waited = list(idle.scalars())
    for run_id in waited:
        close(connection, [_RUNS.id == run_id], overdue(limit(connection, limits, run_id)))
    return [*(held.run_id for held in running), *waited]


def limit(connection: Connection, limits: Limits, run_id: int) -> float:
    """Give the seconds for which the run may be active."""
    query = sa.select(_lasting(limits)).where(_RUNS.id == run_id)
    return connection.execute(query).scalar_one().total_seconds()


def _lasting(limits: Limits) -> sa.ColumnElement[timedelta]:
    """Give how long a run may be active: what its organization decided, else the settings."""
    decided = tables.policies.c
    own = (
        sa.select(sa.func.make_interval(0, 0, 0, 0, 0, decided.limit_minutes))
        .where(decided.organization_id == _RUNS.organization_id)
        .where(decided.resource == _RUNS.resource)
        .scalar_subquery()
    )
    usual = sa.literal(timedelta(seconds=limits.usual))
    special = [(_RUNS.resource == name, timedelta(seconds=s)) for name, s in limits.special.items()]
    settled = sa.case(*special, else_=usual) if special else usual
    return sa.func.coalesce(own, settled, type_=sa.Interval)


def expire_plans(connection: Connection) -> list[int]:
    """End the runs on whose plan nobody decided in time."""
    ended = tables.attempts.c.ended_at
    made = sa.select(sa.func.max(ended)).where(tables.attempts.c.run_id == _RUNS.id)
    undecided = connection.execute(
        sa.select(_RUNS.id)
        .where(_RUNS.status == "waiting", made.scalar_subquery() + timedelta(hours=DECIDE) < _NOW)
        .with_for_update(skip_locked=True)
    ).scalars()
    error = SyncError("expired", hours=DECIDE)
    ending = Ending("expired", error.sentence, error_code=error.code, advice=error.advice)
    return [run_id for run_id in undecided if close(connection, [_RUNS.id == run_id], ending)]


def _seize(connection: Connection, which: Conditions) -> list[Claim]:
    """Lock the running runs that are `which`, to close them.

    A worker that is frozen, or whose Postgres is in the middle of a long statement, may hold
    them locked: so its backends are ended first, and waited for only where they do.
    """
    found = (
        sa.select(*_CLAIM)
        .join_from(tables.runs, tables.leases, _LEASES.run_id == _RUNS.id)
        .where(_RUNS.status == "running", *which)
    )
    locked = found.with_for_update(of=tables.runs, skip_locked=True)
    workers = connection.execute(found.with_only_columns(_LEASES.worker)).scalars().all()
    seized: list[Claim] = []
    for mercy in (0, MERCY):
        if len(seized) < len(workers):
            end_backends(connection, workers, mercy)
            seized = [Claim(*row) for row in connection.execute(locked)]
    return seized


def end_backends(connection: Connection, workers: Sequence[str], mercy: int = MERCY) -> None:
    """End whatever these processes do in Postgres, but for this connection.

    Waits up to `mercy` milliseconds for each backend.
    """
    connection.execute(sa.select(sa.func.pg_stat_clear_snapshot()))  # else those of the first look
    connection.execute(
        sa.text(
            "select pg_terminate_backend(pid, :mercy) from pg_stat_activity"
            " where application_name = any(:workers) and pid <> pg_backend_pid()"
        ),
        {"workers": list(workers), "mercy": mercy},
    )


def resume(connection: Connection) -> list[tuple[int, str]]:
    """Send interrupted runs back to the queue; those that crashed too often fail.

    Gives the id and the resource of those that go on.
    """
    crashed = SyncError("crashed", times=CRASHES)
    close(
        connection,
        [_RUNS.status == "interrupted", _RUNS.crashes >= CRASHES],
        Ending("failed", crashed.sentence, error_code=crashed.code, advice=crashed.advice),
    )
    back = connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.status == "interrupted")
        .values(status="queued", pushed_at=None)
        .returning(_RUNS.id, _RUNS.resource)
    )
    return [(row.id, row.resource) for row in back]
