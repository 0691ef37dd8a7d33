"""Leases: the right to work on a run, and the only ways in which a run changes its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import tables
from sync_core.errors import SyncError

LEASE = 12  # seconds that an attempt may go without a heartbeat
HEARTBEAT = 3  # seconds between two heartbeats
CRASHES = 3  # as many fail a run
OBEY = 10  # seconds within which a cancel must be obeyed

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
    ("running", "interrupted"): "the worker died, or was asked to stop",
    ("interrupted", "queued"): "it goes on by itself",
    ("interrupted", "failed"): "it crashed too often",
    ("interrupted", "cancelled"): "cancelled while no worker had it",
    ("interrupted", "timed_out"): "the time limit passed while no worker had it",
    ("waiting", "queued"): "a person confirmed the plan",
    ("waiting", "cancelled"): "a person declined the plan",
    ("waiting", "expired"): "nobody decided in time",
}
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


def claim(connection: Connection, run_id: int, worker: str) -> Claim | None:
    """Take a queued run for one attempt; None where somebody else has it, or it ended."""
    row = connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.id == run_id, _RUNS.status == "queued")
        .values(
            status="running",
            attempt=_RUNS.attempt + 1,
            started_at=sa.func.coalesce(_RUNS.started_at, _NOW),
        )
        .returning(_RUNS.attempt, _RUNS.organization_id, _RUNS.resource, _RUNS.kind)
    ).one_or_none()
    if row is None:
        return None
    values = {"attempt": row.attempt, "worker": worker}
    connection.execute(sa.insert(tables.attempts).values(run_id=run_id, **values))
    connection.execute(
        sa.insert(tables.leases).values(run_id=run_id, lease_until=_lease(), **values)
    )
    return Claim(run_id, row.attempt, row.organization_id, row.resource, row.kind)


def _lease() -> sa.ColumnElement[datetime]:
    return _NOW + sa.text(f"interval '{LEASE} seconds'")


def renew(connection: Connection, held: Claim) -> bool:
    """Prove that the attempt lives; tells whether its run is to be cancelled.

    Raises LeaseLostError where the run was closed or taken over.
    """
    row = connection.execute(
        sa.update(tables.leases)
        .where(_LEASES.run_id == held.run_id, _LEASES.attempt == held.attempt)
        .values(lease_until=_lease())
        .returning(_LEASES.cancel_requested_at)
    ).one_or_none()
    if row is None:
        raise LeaseLostError
    return row.cancel_requested_at is not None


def fence(connection: Connection, held: Claim) -> None:
    """Hold the run open until this transaction ends. Raises LeaseLostError."""
    found = connection.execute(
        sa.select(_RUNS.id)
        .where(*_is_held(held))
        .with_for_update(read=True)  # whoever closes the run waits for the transaction
    ).one_or_none()
    if found is None:
        raise LeaseLostError


def _is_held(held: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (_RUNS.id == held.run_id, _RUNS.attempt == held.attempt, _RUNS.status == "running")


def name_backend(connection: Connection, held: Claim, pid: int) -> None:
    """Say which backend of Postgres applies, for whoever has to end it."""
    connection.execute(
        sa.text(
            "update leases set backend = :pid, backend_start ="
            " (select backend_start from pg_stat_activity where pid = :pid)"
            " where run_id = :run and attempt = :attempt"
        ),
        {"pid": pid, "run": held.run_id, "attempt": held.attempt},
    )


def finish(connection: Connection, held: Claim, ending: Ending) -> None:
    """End the run; the last statements of its transaction. Raises LeaseLostError."""
    if not close(connection, _is_held(held), ending):
        raise LeaseLostError
    _end_attempt(connection, held.run_id, ending.status, ending.log)


def close(connection: Connection, which: Sequence[sa.ColumnElement[bool]], ending: Ending) -> bool:
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


def _end_attempt(
    connection: Connection, run_id: int, how: str, log: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Give the lease up, and end the backend that still applies, unless it is this one."""
    connection.execute(
        sa.text(
            "with gone as (delete from leases where run_id = :run returning backend, backend_start)"
            " select pg_terminate_backend(pid) from pg_stat_activity join gone"
            " on pid = backend and pg_stat_activity.backend_start = gone.backend_start"
            " where pid <> pg_backend_pid()"
        ),
        {"run": run_id},
    )
    ended = tables.attempts.c
    connection.execute(
        sa.update(tables.attempts)
        .where(ended.run_id == run_id, ended.ended_at.is_(None))
        .values(ended_at=_NOW, ended=how, log=list(log))
    )


def interrupt(connection: Connection, held: Claim, why: str, *, crashed: bool) -> bool:
    """Close an attempt that cannot go on; the run stays, and goes on elsewhere (`resume`)."""
    changed = connection.execute(
        sa.update(tables.runs)
        .where(*_is_held(held))
        .values(status="interrupted", crashes=_RUNS.crashes + int(crashed))
    )
    if changed.rowcount:
        _end_attempt(connection, held.run_id, why)
    return bool(changed.rowcount)


def resume(connection: Connection) -> list[int]:
    """Send interrupted runs back to the queue; those that crashed too often fail."""
    crashed = SyncError("crashed", times=CRASHES)
    close(
        connection,
        (_RUNS.status == "interrupted", _RUNS.crashes >= CRASHES),
        Ending("failed", crashed.sentence, error_code=crashed.code, advice=crashed.advice),
    )
    back = connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.status == "interrupted")
        .values(status="queued", pushed_at=None)
        .returning(_RUNS.id)
    )
    return list(back.scalars())


def cancelled() -> Ending:
    """Give the ending of a cancelled run: applying is all or nothing."""
    return Ending("cancelled", "Cancelled. Nothing was changed.")


def close_dead(
    connection: Connection,
    organization_id: int | None = None,
    resource: str | None = None,
    grace: float = LEASE,
) -> list[int]:
    """Interrupt the attempts whose lease is over (of one resource, or all).

    Not within `grace` seconds of Postgres' own start: nobody could prove to be alive before it.
    """
    rows = connection.execute(
        sa.text(
            "select runs.id, runs.attempt, organization_id, resource, kind"
            " from runs join leases on leases.run_id = runs.id"
            " where status = 'running' and lease_until < clock_timestamp()"
            " and (cast(:org as bigint) is null or organization_id = :org)"
            " and (cast(:resource as text) is null or resource = :resource)"
            " and clock_timestamp() >"
            " pg_postmaster_start_time() + make_interval(secs => :grace)"
            " for update of runs skip locked"
        ),
        {"org": organization_id, "resource": resource, "grace": grace},
    ).all()
    for row in rows:
        interrupt(connection, Claim(*row), "its worker went silent", crashed=True)
    return [row.id for row in rows]


def close_overdue(connection: Connection, limits: Mapping[str, float], limit: float) -> list[int]:
    """Time out the runs that are active for longer than their limit, in seconds."""
    closed = []
    rows = connection.execute(
        sa.text(
            "select id, resource, extract(epoch from clock_timestamp() - active_since) as age"
            " from runs where status in ('queued','running','interrupted')"
            " for update skip locked"
        )
    ).all()
    for row in rows:
        allowed = limits.get(row.resource, limit)
        if row.age > allowed and close(connection, (_RUNS.id == row.id,), overdue(allowed)):
            _end_attempt(connection, row.id, "timed_out")
            closed.append(row.id)
    return closed


def overdue(limit: float) -> Ending:
    """Give the ending of a run that took longer than `limit` seconds."""
    error = SyncError("timed_out", minutes=max(1, round(limit / 60)))
    return Ending("timed_out", error.sentence, error_code=error.code, advice=error.advice)


def enforce_cancels(connection: Connection) -> list[int]:
    """Close the runs whose worker did not obey a cancel."""
    rows = connection.execute(
        sa.text(
            "select runs.id from runs join leases on leases.run_id = runs.id"
            " where status = 'running' and cancel_requested_at <"
            " clock_timestamp() - make_interval(secs => :obey) for update of runs skip locked"
        ),
        {"obey": OBEY},
    ).all()
    for (run_id,) in rows:
        close(connection, (_RUNS.id == run_id,), cancelled())
        _end_attempt(connection, run_id, "cancelled")
    return [run_id for (run_id,) in rows]


def held(connection: Connection, run_id: int) -> Claim | None:
    """Give the claim under which somebody works on the run."""
    row = connection.execute(
        sa.select(_RUNS.id, _RUNS.attempt, _RUNS.organization_id, _RUNS.resource, _RUNS.kind).where(
            _RUNS.id == run_id, _RUNS.status == "running"
        )
    ).one_or_none()
    return Claim(*row) if row else None
