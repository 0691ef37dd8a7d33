"""Undos that changed something: since a plan was made, and of a run, as long as they stand."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, CHANGED, RunKind, RunStatus
from sync_core.runs.run import Run, some

_RUNS, _ATTEMPTS, _TALLIES = tables.runs.c, tables.attempts.c, tables.tallies.c


def since_plan(
    connection: Connection, organization_id: int, resource: str, run_id: int
) -> Run | None:
    """Return the last undo of a resource that was applied after a run's plan was made."""
    made = sa.select(_ATTEMPTS.ended_at).where(
        _ATTEMPTS.run_id == run_id, _ATTEMPTS.ended == RunStatus.WAITING
    )
    newest = _applied(organization_id, resource).where(_RUNS.finished_at > made.scalar_subquery())
    found = connection.execute(newest.order_by(_RUNS.finished_at.desc()).limit(1)).scalar()
    return some(connection, [found])[0] if found else None


def standing(connection: Connection, run: Run) -> Run | None:
    """Return the undo that took a run back, and was not taken back itself."""
    later = _applied(run.organization_id, run.resource).where(_RUNS.id > run.id)
    undo_of: dict[int, int] = {}
    for undo, undone in connection.execute(later.order_by(_RUNS.id.desc())):
        if undo not in undo_of:  # what took it back is newer, and was seen before
            undo_of.setdefault(undone, undo)
    return some(connection, [undo_of[run.id]])[0] if run.id in undo_of else None


def _applied(organization_id: int, resource: str) -> sa.Select[Any]:
    """Select the undos of a resource, and what each undoes, by the index `runs_that_undo`.

    Those that found nothing to put back are none.
    """
    done = sum((_TALLIES[kind] for kind in CHANGED), start=sa.literal(0))
    changed = sa.exists().where(_TALLIES.run_id == _RUNS.id, done > 0)
    return sa.select(_RUNS.id, _RUNS.undoes).where(
        _RUNS.organization_id == organization_id,
        _RUNS.resource == resource,
        _RUNS.kind == RunKind.UNDO,
        _RUNS.status.in_(APPLIED),
        changed,
    )
