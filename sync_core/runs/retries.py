"""Which rows a retry applies: those that failed in an earlier run, by key or row number."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED
from sync_core.runs.run import Run

_RUNS, _TALLIES = tables.runs.c, tables.tallies.c


@dataclass(frozen=True)
class Retried:
    """A run whose failed rows are tried again, and the time in which its outcomes were written."""

    run_id: int
    since: datetime
    until: datetime
    failed: int  # rows, of all tables


def require_failed_rows(connection: Connection, run: Run) -> int:
    """Return how many rows failed in a run that was applied. Raises SyncError(nothing_to_retry)."""
    failed = _failed(connection, run.id) if run.status in APPLIED else 0
    if not failed:
        raise SyncError("nothing_to_retry", run=run.id)
    return failed


def of_run(connection: Connection, run_id: int) -> Retried | None:
    """Return the run that a run retries; None where it is no retry."""
    retried = sa.select(_RUNS.retries).where(_RUNS.id == run_id).scalar_subquery()
    found = connection.execute(
        sa.select(_RUNS.id, _RUNS.queued_at, _RUNS.finished_at).where(_RUNS.id == retried)
    ).one_or_none()
    return Retried(*found, _failed(connection, found.id)) if found else None


def _failed(connection: Connection, run_id: int) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(_TALLIES.failed), 0))
    return int(connection.execute(query.where(_TALLIES.run_id == run_id)).scalar_one())
