"""What others do for an attempt that cannot do it itself: close it, and let its run go on."""

import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Limits
from sync_core.foundation.vocabulary import WITHOUT_WORKER, RunStatus
from sync_core.runs.lease import (
    CLAIM_COLUMNS,
    LEASE_SECONDS,
    Claim,
    Conditions,
    Queued,
    cancelled,
    close,
    failure,
    finish,
    interrupt,
    lasting,
    lease_is_over,
    limit,
    never_begun,
    overdue,
    usual_limits,
)
from sync_core.runs.run import Run, some

_RUNS, _LEASES = tables.runs.c, tables.leases.c
_NOW = sa.func.clock_timestamp()

MAX_CRASHES = 3  # as many fail a run
CANCEL_SECONDS = 10  # after which a cancel is enforced
DECISION_HOURS = 24  # for which a plan waits for a person
RENEWAL_SECONDS = 2  # in which an attempt that lives has renewed its lease, whatever the clock says
GLANCE_SECONDS = 1.2  # likewise, where somebody waits for the answer
BLIND_SECONDS = 3  # without a look, after which a watch begins anew
BACKEND_MS = 1000  # milliseconds for a backend of Postgres to end


def close_dead(
    connection: Connection,
    organization_id: int | None = None,
    resource: str | None = None,
    grace: float = LEASE_SECONDS,
    watch: "Watch | None" = None,
) -> list[int]:
    """Interrupt the attempts whose lease is over (of one resource, or all), as a `watch` finds.

    Not within `grace` seconds of Postgres' own start: nobody could prove to be alive before it.
    """
    started = sa.func.pg_postmaster_start_time()
    which = [
        _LEASES.run_id.in_(watch.silent(connection)) if watch else lease_is_over(),
        (started + timedelta(seconds=grace) < _NOW) | (started > _NOW),  # the clock was set back
    ]
    if organization_id is not None:
        which.append(_RUNS.organization_id == organization_id)
    if resource is not None:
        which.append(_RUNS.resource == resource)
    dead = _seize(connection, which)
    is_crash = bool(dead) and not (watch or Watch()).excuses_silence()
    why = "its worker went silent" + ("" if is_crash else ": Postgres took no connections")
    for held in dead:
        interrupt(connection, held, why, crashed=is_crash)
    return [held.run_id for held in dead]


class Watch:
    """Leases as one process has seen them, on its own clock, which nobody sets.

    A lease that is over, or cannot be, counts only if it was not renewed while it was watched: a
    jump of the database's clock makes the leases of the living look so, for a moment.
    """

    def __init__(self, renewal: float = RENEWAL_SECONDS) -> None:
        self._renewal = renewal
        self._seen: dict[tuple[int, int], tuple[datetime, float]] = {}
        self._looked = 0.0
        self._was_refused = float("-inf")

    def note_refusal(self) -> None:
        """Note that Postgres took no connection of this process, nor perhaps of the attempts."""
        self._was_refused = time.monotonic()

    def excuses_silence(self) -> bool:
        """Return whether who is silent may well live: Postgres takes no connections, or took none.

        For as long as a lease lasts after that, and the watch begins anew.
        """
        if db.refuses():
            self.note_refusal()
        return time.monotonic() < self._was_refused + LEASE_SECONDS + BLIND_SECONDS

    def silent(self, connection: Connection) -> list[int]:
        """Return the runs whose attempts prove no more that they live."""
        columns = (_LEASES.run_id, _LEASES.attempt, _LEASES.lease_until, lease_is_over())
        rows = connection.execute(sa.select(*columns)).all()
        now = time.monotonic()
        if now > self._looked + BLIND_SECONDS:
            self._seen.clear()  # this process or Postgres was away, so perhaps were the attempts
        self._looked = now
        earlier, self._seen = self._seen, {}
        found = []
        for run_id, attempt, until, is_over in rows:
            before, since = earlier.get((run_id, attempt), (until, now))
            since = since if before == until else now
            self._seen[run_id, attempt] = (until, since)
            if now >= since + (self._renewal if is_over else LEASE_SECONDS):
                found.append(run_id)
        return found


def close_killed(
    connection: Connection, worker: str, how: str, error: SyncError | None = None
) -> list[int]:
    """Interrupt the attempt of a process that is known to be dead.

    Where it died of an `error` that would come again, the run fails.
    """
    dead = _seize(connection, [_LEASES.worker == worker])
    for held in dead:
        if error:
            finish(connection, held, failure(error))
        else:
            interrupt(connection, held, how, crashed=True)
    return [held.run_id for held in dead]


def enforce_cancels(connection: Connection) -> list[int]:
    """Close the runs whose worker did not react to a cancel."""
    deadline = _LEASES.cancel_requested_at + timedelta(seconds=CANCEL_SECONDS)
    ignored = _seize(connection, [deadline < _NOW])
    for held in ignored:
        finish(connection, held, cancelled())
    return [held.run_id for held in ignored]


def close_overdue(
    connection: Connection,
    limits: Limits | None = None,
    *,
    organizations: Collection[int] | None = None,
    run_ids: Collection[int] | None = None,
) -> list[int]:
    """Time out the runs that are active for longer than their limit: these, or all.

    Whoever looks at runs does so first: a run ends at its limit though no worker is alive.
    """
    limits = limits or usual_limits()
    is_over = [_RUNS.active_since + lasting(limits) < _NOW]
    if organizations is not None:
        is_over.append(_RUNS.organization_id.in_(organizations))
    if run_ids is not None:
        is_over.append(_RUNS.id.in_(run_ids))
    running = _seize(connection, is_over)
    for held in running:
        finish(connection, held, overdue(limit(connection, held.run_id, limits), held.waited))
    idle = connection.execute(
        sa.select(_RUNS.id, _RUNS.started_at, _seconds_worked())
        .where(_RUNS.status.in_(WITHOUT_WORKER), *is_over)
        .with_for_update(skip_locked=True)
    ).all()
    for run_id, started_at, worked in idle:
        longest = limit(connection, run_id, limits)
        result = overdue(longest, longest - worked) if started_at else never_begun(longest)
        close(connection, [_RUNS.id == run_id], result)
    return [*(held.run_id for held in running), *(one.id for one in idle)]


def _seconds_worked() -> sa.ScalarSelect[float]:
    """Tell for how long workers have worked on a run since it was asked for, or confirmed."""
    its = tables.attempts.c
    took = sa.func.extract("epoch", sa.func.sum(its.ended_at - its.started_at))
    since = (its.run_id == _RUNS.id, its.started_at >= _RUNS.active_since)
    worked = sa.select(sa.cast(sa.func.coalesce(took, 0), sa.Float)).where(*since)
    return worked.correlate(tables.runs).scalar_subquery()


def expire_plans(connection: Connection) -> list[int]:
    """End the runs on whose plan nobody decided in time."""
    undecided = connection.execute(
        sa.select(_RUNS.id)
        .where(
            _RUNS.status == RunStatus.WAITING,
            _waits_until() < _NOW,
        )
        .with_for_update(skip_locked=True)
    ).scalars()
    error = SyncError("expired", hours=DECISION_HOURS)
    result = failure(error, RunStatus.EXPIRED)
    return [run_id for run_id in undecided if close(connection, [_RUNS.id == run_id], result)]


def plans_that_wait(connection: Connection, organization_id: int) -> list[Run]:
    """Return the runs whose plans somebody can still decide on, oldest first."""
    here = (_RUNS.organization_id == organization_id, _RUNS.status == RunStatus.WAITING)
    found = connection.execute(sa.select(_RUNS.id).where(*here, _waits_until() >= _NOW)).scalars()
    return some(connection, found.all())


def waits_until(connection: Connection, run_id: int) -> datetime | None:
    """Return until when the plan of a run waits for a person; None where it does not wait."""
    here = (_RUNS.id == run_id, _RUNS.status == RunStatus.WAITING)
    found: datetime | None = connection.execute(sa.select(_waits_until()).where(*here)).scalar()
    return found


def _waits_until() -> sa.ColumnElement[datetime]:
    made = sa.func.max(tables.attempts.c.ended_at)
    of_run = sa.select(made).where(tables.attempts.c.run_id == _RUNS.id)
    return of_run.scalar_subquery() + timedelta(hours=DECISION_HOURS)


def _seize(connection: Connection, which: Conditions) -> list[Claim]:
    """Lock the running runs that are `which`, to close them.

    A worker that is frozen, or whose Postgres is in the middle of a long statement, may hold
    them locked: so its backends are ended first, and waited for only where they do.
    """
    found = (
        sa.select(*CLAIM_COLUMNS)
        .join_from(tables.runs, tables.leases, _LEASES.run_id == _RUNS.id)
        .where(_RUNS.status == RunStatus.RUNNING, *which)
    )
    locked = found.with_for_update(of=tables.runs, skip_locked=True)
    workers = connection.execute(found.with_only_columns(_LEASES.worker)).scalars().all()
    seized: list[Claim] = []
    for wait_ms in (0, BACKEND_MS):
        if len(seized) < len(workers):
            end_backends(connection, workers, wait_ms)
            seized = [Claim(*row) for row in connection.execute(locked)]
    return seized


def end_backends(connection: Connection, workers: Sequence[str], wait_ms: int = BACKEND_MS) -> None:
    """End whatever these processes do in Postgres, but for this connection.

    Waits up to `wait_ms` milliseconds for each backend.
    """
    connection.execute(sa.select(sa.func.pg_stat_clear_snapshot()))  # else those of the first look
    connection.execute(
        sa.text(
            "select pg_terminate_backend(pid, :wait_ms) from pg_stat_activity"
            " where application_name = any(:workers) and pid <> pg_backend_pid()"
        ),
        {"workers": list(workers), "wait_ms": wait_ms},
    )


def revive(
    connection: Connection, organization_id: int, resource: str | None = None
) -> list[Queued]:
    """Let the runs go on whose worker is dead, though no maintenance may be alive to do so.

    Where the lease of somebody is over who is still connected, the clock may have jumped: it is
    watched for a moment.
    """
    watch = None
    if _is_over_of_the_connected(connection, organization_id, resource):
        watch = Watch(GLANCE_SECONDS)
        watch.silent(connection)
        time.sleep(GLANCE_SECONDS)
    dead = close_dead(connection, organization_id, resource, watch=watch)
    return resume(connection) if dead else []


def _is_over_of_the_connected(
    connection: Connection, organization_id: int, resource: str | None
) -> bool:
    connected = sa.table("pg_stat_activity", sa.column("application_name"))
    over = (
        sa.select(_LEASES.run_id)
        .join(tables.runs, _RUNS.id == _LEASES.run_id)
        .where(_RUNS.status == RunStatus.RUNNING, _RUNS.organization_id == organization_id)
        .where(lease_is_over(), _LEASES.worker.in_(sa.select(connected.c.application_name)))
    )
    if resource is not None:
        over = over.where(_RUNS.resource == resource)
    return bool(connection.execute(sa.select(over.exists())).scalar_one())


def resume(connection: Connection) -> list[Queued]:
    """Send interrupted runs back to the queue; those that crashed too often fail.

    Returns those that go on.
    """
    crashed = SyncError("crashed", times=MAX_CRASHES)
    close(
        connection,
        [_RUNS.status == RunStatus.INTERRUPTED, _RUNS.crashes >= MAX_CRASHES],
        failure(crashed),
    )
    back = connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.status == RunStatus.INTERRUPTED)
        .values(status=RunStatus.QUEUED, pushed_at=None)
        .returning(_RUNS.id, lasting(usual_limits()))
    )
    return [Queued(run_id, limit.total_seconds()) for run_id, limit in back]
