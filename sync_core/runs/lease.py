"""Leases: the right to work on a run, and the only ways in which a run changes its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.foundation import settings, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Limits
from sync_core.foundation.vocabulary import APPLIED, ENDED, RunKind, RunStatus
from sync_core.runs import accounts, turns
from sync_core.runs.plans import Plans

LEASE_SECONDS = 12  # that an attempt may go without a heartbeat
HEARTBEAT_SECONDS = 1  # between two heartbeats
DECLINED = "Declined. Nothing was changed."  # the message of a run whose plan a person declined

Conditions = Sequence[sa.ColumnElement[bool]]


class LeaseLostError(Exception):
    """The run was closed or taken over: this attempt may not write any more."""


class CancelledError(Exception):
    """Somebody cancelled the run."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a run: its id and attempt are the fence."""

    run_id: int
    attempt: int
    organization_id: int
    resource: str
    kind: RunKind
    undoes: int | None = None  # the run that it takes back
    waited: float = 0.0  # seconds for which it waited for a worker; they count, too


@dataclass(frozen=True)
class LeaseState:
    """What an attempt learns with its heartbeat."""

    cancelled: bool  # somebody asked for it
    active: float  # seconds since the run was asked for


@dataclass(frozen=True)
class RunResult:
    """How a run ends, or begins to wait for a person, in words for the screen and for the log."""

    status: RunStatus
    message: str
    log_message: str = ""
    error_code: str | None = None
    advice: str = ""
    notes: Sequence[str] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    log: Sequence[Mapping[str, Any]] = ()  # lines of the attempt
    plans: Plans | None = None  # of a run that waits; None leaves those that are kept


@dataclass(frozen=True)
class Queued:
    """A run that waits for a worker, and the seconds that it may take then."""

    id: int
    limit: float


_RUNS, _LEASES = tables.runs.c, tables.leases.c
_NOW = sa.func.clock_timestamp()
_LASTING = timedelta(seconds=LEASE_SECONDS)
_RENEW = sa.text(
    "select cancelled, active from renew_lease(:organization_id, :run_id, :attempt, :lasting)"
)
_WAITED = _RUNS.started_at - sa.func.greatest(_RUNS.active_since, _RUNS.queued_at)
CLAIM_COLUMNS = (
    _RUNS.id,
    _RUNS.attempt,
    _RUNS.organization_id,
    _RUNS.resource,
    _RUNS.kind,
    _RUNS.undoes,
    sa.cast(sa.func.extract("epoch", _WAITED), sa.Float),
)


# What an attempt does


def claim(connection: Connection, run_id: int, worker: str) -> Claim | None:
    """Take a queued run for one attempt; None where somebody else has it, or it ended.

    None, too, where the account of its source is read by as many runs as may be: then the run
    waits in Postgres, and maintenance pushes it again once it may be taken. `worker` is the name
    under which Postgres knows the process (`db.name`).
    """
    accounts.one_by_one(connection, run_id)
    here = (_RUNS.id == run_id, _RUNS.status == RunStatus.QUEUED)
    row = connection.execute(
        sa.update(tables.runs)
        .where(*here, accounts.is_free())
        .values(
            status=RunStatus.RUNNING,
            attempt=_RUNS.attempt + 1,
            started_at=sa.func.coalesce(_RUNS.started_at, _NOW),
        )
        .returning(*CLAIM_COLUMNS)
    ).one_or_none()
    if row is None:
        connection.execute(sa.update(tables.runs).where(*here).values(pushed_at=None))
        return None
    turns.take(connection, row.organization_id)
    values = {"run_id": run_id, "attempt": row.attempt, "worker": worker}
    connection.execute(sa.insert(tables.attempts).values(**values))
    connection.execute(sa.insert(tables.leases).values(lease_until=_NOW + _LASTING, **values))
    return Claim(*row)


def renew(connection: Connection, held: Claim) -> LeaseState:
    """Prove that the attempt lives. Raises LeaseLostError where its run was closed.

    The transaction, one statement of `db.at_once`, is within the run's organization from then on.
    """
    row = connection.execute(_RENEW, {**vars(held), "lasting": _LASTING}).one_or_none()
    if row is None:
        raise LeaseLostError
    return LeaseState(*row)


def fence(connection: Connection, held: Claim) -> None:
    """Hold the run open until this transaction ends. Raises LeaseLostError."""
    found = connection.execute(
        sa.select(_RUNS.id)
        .where(*_is_held(held))
        .with_for_update(read=True)  # whoever closes the run waits for the transaction
    ).one_or_none()
    if found is None:
        raise LeaseLostError


def lease_is_over() -> sa.ColumnElement[bool]:
    """Return the condition that a lease is over, or longer than any: the clock was set back."""
    longest = timedelta(seconds=LEASE_SECONDS + HEARTBEAT_SECONDS)
    return (_LEASES.lease_until < _NOW) | (_LEASES.lease_until > _NOW + longest)


def _is_held(held: Claim) -> Conditions:
    return [
        _RUNS.id == held.run_id,
        _RUNS.attempt == held.attempt,
        _RUNS.status == RunStatus.RUNNING,
    ]


def finish(connection: Connection, held: Claim, result: RunResult) -> None:
    """End the run, or let it wait; the last statements of its transaction. Raises LeaseLostError.

    The audit's link is made at the commit: until then the attempt ends as well, and nobody waits.
    A cancel that came before this is obeyed though all is done: raises CancelledError. One that
    comes later waits for the commit, and finds the run ended.
    """
    connection.execute(sa.text("set constraints runs_are_linked deferred"))
    if not close(connection, _is_held(held), result):
        raise LeaseLostError
    is_cancelled = _end_attempt(connection, held.run_id, result.status, result.log)
    if is_cancelled and result.status in {*APPLIED, RunStatus.WAITING}:
        raise CancelledError


def interrupt(
    connection: Connection,
    held: Claim,
    why: str,
    *,
    crashed: bool,
    log: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """Close an attempt that cannot go on; returns whether it was still to be closed.

    The run goes on elsewhere (`resume`), unless somebody has asked to cancel it.
    """
    changed = connection.execute(
        sa.update(tables.runs)
        .where(*_is_held(held))
        .values(status=RunStatus.INTERRUPTED, crashes=_RUNS.crashes + int(crashed))
    )
    if not changed.rowcount:
        return False
    if _end_attempt(connection, held.run_id, why, log):
        close(connection, [_RUNS.id == held.run_id], cancelled())
    return True


def _end_attempt(
    connection: Connection, run_id: int, how: str, log: Sequence[Mapping[str, Any]] = ()
) -> bool:
    """Give the lease up; returns whether somebody has asked to cancel."""
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


def close(connection: Connection, which: Conditions, result: RunResult) -> bool:
    """End the runs that are `which`; returns whether there were any."""
    values: dict[str, Any] = {
        "status": result.status,
        "message": result.message,
        "log_message": result.log_message or result.message,
        "error_code": result.error_code,
        "advice": result.advice,
        "notes": list(result.notes),
        "phases": dict(result.phases),
    }
    if result.plans:
        values["plans"] = result.plans.as_json()
    if result.status in ENDED:
        values["finished_at"] = _NOW
    changed = connection.execute(sa.update(tables.runs).where(*which).values(values))
    return bool(changed.rowcount)


def cancelled() -> RunResult:
    """Return the result of a cancelled run: applying is all or nothing."""
    return RunResult(RunStatus.CANCELLED, "Cancelled. Nothing was changed.")


def declined() -> RunResult:
    """Return the result of a run whose plan a person has declined."""
    return RunResult(RunStatus.CANCELLED, DECLINED)


def overdue(limit: float, waited: float = 0.0) -> RunResult:
    """Return the result of a run that was not through after `limit` seconds.

    It has `waited` for a worker for some of them; where these are most, that is what is told.
    """
    minutes = _minutes(limit)
    if waited < limit / 2:
        return failure(SyncError("timed_out", minutes=minutes), RunStatus.TIMED_OUT)
    return failure(SyncError("waited_too_long", minutes=minutes), RunStatus.TIMED_OUT)


def never_begun(limit: float) -> RunResult:
    """Return the result of a run that no worker took within `limit` seconds."""
    return failure(SyncError("never_begun", minutes=_minutes(limit)), RunStatus.TIMED_OUT)


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def failure(error: SyncError, status: RunStatus = RunStatus.FAILED) -> RunResult:
    """Return the result of a run that an error ended."""
    return RunResult(status, error.sentence, error_code=error.code, advice=error.advice)


# What others do for an attempt that cannot do it itself


def usual_limits() -> Limits:
    """Return the limits where an organization has decided nothing."""
    return resources.time_limits(settings.current().time_limits)


def limit(connection: Connection, run_id: int, limits: Limits | None = None) -> float:
    """Return the seconds for which the run may be active."""
    query = sa.select(lasting(limits or usual_limits())).where(_RUNS.id == run_id)
    return connection.execute(query).scalar_one().total_seconds()


def lasting(limits: Limits) -> sa.ColumnElement[timedelta]:
    """Return how long a run may be active: what its organization decided, else the settings."""
    decided = tables.policies.c
    own = (
        sa.select(sa.func.make_interval(0, 0, 0, 0, 0, decided.limit_minutes))
        .where(decided.organization_id == _RUNS.organization_id)
        .where(decided.resource == _RUNS.resource)
        .correlate(tables.runs)
        .scalar_subquery()
    )
    usual = sa.literal(timedelta(seconds=limits.usual))
    special = [(_RUNS.resource == name, timedelta(seconds=s)) for name, s in limits.special.items()]
    settled = sa.case(*special, else_=usual) if special else usual
    return sa.func.coalesce(own, settled, type_=sa.Interval)
