"""Plans that wait while another run is applied: they are out of date, and nobody failed."""

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, RunKind, RunStatus
from sync_core.runs import undos
from sync_core.runs.run import Run, changed_rows, some

_RUNS, _ATTEMPTS = tables.runs.c, tables.attempts.c


def by(connection: Connection, run: Run) -> Run | None:
    """Return the run because of which the waiting plan of `run` cannot be confirmed any more.

    The plan of an undo still fits where runs have changed other records than its own.
    """
    if run.kind == RunKind.UNDO:
        whose = (run.organization_id, run.resource, run.id)
        return undos.since_plan(connection, *whose, run.undoes)
    return last_change(connection, run.id)


def last_change(connection: Connection, run_id: int) -> Run | None:
    """Return the last run of the same resource that changed records after a run's plan was made."""
    planned = tables.runs.alias("planned").c
    made = sa.select(_ATTEMPTS.ended_at).where(
        _ATTEMPTS.run_id == run_id, _ATTEMPTS.ended == RunStatus.WAITING
    )
    newest = sa.select(_RUNS.id).where(
        planned.id == run_id,
        _RUNS.organization_id == planned.organization_id,
        _RUNS.resource == planned.resource,
        _RUNS.status.in_(APPLIED),
        _RUNS.finished_at > made.scalar_subquery(),
        changed_rows(),
    )
    found = connection.execute(newest.order_by(_RUNS.finished_at.desc()).limit(1)).scalar()
    return some(connection, [found])[0] if found else None
