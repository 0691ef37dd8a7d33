"""What is asked of runs: start, cancel, and what is to be pushed to the queue."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import settings, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ACTIVE, WITHOUT_WORKER, RunKind, RunStatus
from sync_core.organizations.people import Person
from sync_core.runs import accounts, lease, result_words
from sync_core.runs.lease import Queued
from sync_core.runs.run import Run, get

_RUNS, _LEASES = tables.runs.c, tables.leases.c
_NOW = sa.func.clock_timestamp()


def start(
    connection: Connection,
    organization_id: int,
    resource: str,
    person: Person,
    *,
    trigger: str,
    kind: RunKind = RunKind.SYNC,
    undoes: int | None = None,
    retries: int | None = None,
) -> Run:
    """Queue a run. Raises SyncError("already_running" or "cooldown")."""
    _refuse_a_second(connection, organization_id, resource)
    _refuse_during_cooldown(connection, organization_id, resource)
    run_id = connection.execute(
        insert(tables.runs)
        .values(
            organization_id=organization_id,
            resource=resource,
            kind=kind,
            undoes=undoes,
            retries=retries,
            trigger=trigger,
            requested_by=person.name,
            requested_email=person.email,
            requested_team=person.team,
        )
        .on_conflict_do_nothing(
            index_elements=["organization_id", "resource"],
            index_where=tables.IS_ACTIVE,
        )
        .returning(_RUNS.id)
    ).scalar_one_or_none()
    if run_id is None:  # somebody was faster
        _refuse_a_second(connection, organization_id, resource)
        raise SyncError("cooldown", seconds=max(1, round(settings.current().cooldown)))
    return get(connection, organization_id, run_id)


def _refuse_a_second(connection: Connection, organization_id: int, resource: str) -> None:
    age = sa.func.extract("epoch", _NOW - _RUNS.queued_at)
    row = connection.execute(
        sa.select(_RUNS.id, _RUNS.requested_by, age.label("age")).where(
            _RUNS.organization_id == organization_id,
            _RUNS.resource == resource,
            _RUNS.status.in_(ACTIVE),
        )
    ).one_or_none()
    if row:
        raise SyncError("already_running", who=row.requested_by, ago=_ago(row.age), run=row.id)


def _ago(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < 120 else f"{int(seconds / 60)} min"  # noqa: PLR2004 - two minutes


def _refuse_during_cooldown(connection: Connection, organization_id: int, resource: str) -> None:
    pause = settings.current().cooldown
    left = connection.execute(
        sa.text(
            "select :pause - extract(epoch from clock_timestamp() - max(finished_at)) from runs"
            " where organization_id = :org and resource = :resource"
        ),
        {"pause": pause, "org": organization_id, "resource": resource},
    ).scalar()
    if left is not None and 0 < left <= pause:  # more is left only where the clock was set back
        raise SyncError("cooldown", seconds=max(1, round(left)))


def refuse_while_plan_waits(connection: Connection, organization_id: int, resource: str) -> None:
    """Refuse what nobody sees while a plan waits for a person. Raises SyncError("plan_waits")."""
    waits = connection.execute(
        sa.select(_RUNS.id).where(
            _RUNS.status == RunStatus.WAITING,
            _RUNS.organization_id == organization_id,
            _RUNS.resource == resource,
        )
    ).scalar()
    if waits is not None:
        raise SyncError("plan_waits", run=waits)


def request_cancel(connection: Connection, organization_id: int, run_id: int, who: Person) -> Run:
    """Cancel at once where no worker has the run, else ask the worker. Idempotent.

    A worker that ends the run at this moment is waited for. Raises SyncError: unknown_run,
    already_ended.
    """
    run = get(connection, organization_id, run_id)
    here = (_RUNS.id == run_id, _RUNS.status.in_(WITHOUT_WORKER))
    if not lease.close(connection, here, lease.cancelled()):
        connection.execute(
            sa.update(tables.leases)
            .where(_LEASES.run_id == run_id, _LEASES.cancel_requested_at.is_(None))
            .values(cancel_requested_at=_NOW, cancel_requested_by=who.name)
        )
        lease.close(connection, here, lease.cancelled())  # its worker may just have lost it
    run = get(connection, organization_id, run.id)
    _refuse_what_is_through(run)
    return run


def to_cancel(connection: Connection, organization_id: int, run_id: int) -> Run:
    """Return a run that is to be cancelled or declined, or was cancelled already.

    Unless a worker has it, it does not change until the transaction ends. Raises SyncError:
    unknown_run, already_ended.
    """
    run = get(connection, organization_id, run_id)
    without_worker = _RUNS.status.in_((RunStatus.WAITING, *WITHOUT_WORKER))
    here = sa.select(_RUNS.id).where(_RUNS.id == run.id, without_worker)
    connection.execute(here.with_for_update())
    run = get(connection, organization_id, run_id)
    if run.status != RunStatus.WAITING:
        _refuse_what_is_through(run)
    return run


def _refuse_what_is_through(run: Run) -> None:
    if not run.active and run.status != RunStatus.CANCELLED:
        raise SyncError("already_ended", run=run.id, how=result_words.of_run(run))


def to_decide(connection: Connection, organization_id: int, run_id: int) -> Run:
    """Return a run whose plan waits, and let nobody else decide until the transaction ends.

    Raises SyncError: unknown_run, nothing_to_decide.
    """
    run = get(connection, organization_id, run_id)
    connection.execute(sa.select(_RUNS.id).where(_RUNS.id == run.id).with_for_update())
    run = get(connection, organization_id, run_id)
    if run.status != RunStatus.WAITING:
        raise SyncError("nothing_to_decide", run=run.id, status=run.status)
    return run


def confirm(connection: Connection, run: Run) -> Run:
    """Let a run that is `to_decide` go on: it is a sync from now on, and its time begins anew.

    Raises SyncError("already_running").
    """
    _refuse_a_second(connection, run.organization_id, run.resource)
    kind = RunKind.SYNC if run.kind == RunKind.PREVIEW else run.kind
    fresh = {"active_since": _NOW, "pushed_at": None, "started_at": None}
    again = sa.update(tables.runs).values(status=RunStatus.QUEUED, kind=kind, **fresh)
    try:
        with connection.begin_nested():
            connection.execute(again.where(_RUNS.id == run.id))
    except sa.exc.IntegrityError:  # somebody has started another one just now
        _refuse_a_second(connection, run.organization_id, run.resource)
        raise
    return get(connection, run.organization_id, run.id)


def decline(connection: Connection, run_id: int) -> bool:
    """End a run whose plan waits; returns whether it still did."""
    here = (_RUNS.id == run_id, _RUNS.status == RunStatus.WAITING)
    return lease.close(connection, here, lease.declined())


def to_push(connection: Connection, pause: float = 3) -> list[Queued]:
    """List the queued runs that may be taken and were not pushed in the last `pause` seconds."""
    lately = _RUNS.pushed_at.between(_NOW - timedelta(seconds=pause), _NOW)  # later: set back
    rows = connection.execute(
        sa.select(_RUNS.id, lease.lasting(lease.usual_limits()))
        .where(_RUNS.status == RunStatus.QUEUED)
        .where(_RUNS.pushed_at.is_(None) | ~lately, accounts.is_free())
        .order_by(_RUNS.id)
    )
    return [Queued(run_id, limit.total_seconds()) for run_id, limit in rows]


def mark_pushed(connection: Connection, run_id: int) -> None:
    """Note that the run was handed to the queue."""
    connection.execute(
        sa.update(tables.runs)
        .where(_RUNS.id == run_id, _RUNS.status == RunStatus.QUEUED)
        .values(pushed_at=_NOW)
    )
