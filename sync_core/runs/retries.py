"""Which rows a retry applies: those that failed in an earlier run, by key or row number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, RunKind
from sync_core.runs import undos
from sync_core.runs.run import Run, in_step, some

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
    failed = failed_rows(connection, run.id) if run.status in APPLIED else 0
    if not failed:
        raise SyncError("nothing_to_retry", run=run.id)
    return failed


def of_run(connection: Connection, run_id: int) -> Retried | None:
    """Return the run that a run retries; None where it is no retry."""
    retried = sa.select(_RUNS.retries).where(_RUNS.id == run_id).scalar_subquery()
    found = connection.execute(
        sa.select(_RUNS.id, _RUNS.queued_at, _RUNS.finished_at).where(_RUNS.id == retried)
    ).one_or_none()
    return Retried(*found, failed_rows(connection, found.id)) if found else None


def latest(
    connection: Connection, organization_id: int, runs: Mapping[str, Run]
) -> dict[str, list[Run]]:
    """Return, by resource, the retries in effect of what had failed in its run, oldest first.

    A retry tries all that had failed, so that what failed in the last one is what still fails. Of
    a resource without one there is none.
    """
    followed = {run.id for run in runs.values()}  # these runs, their retries, the retries of those
    wanted: list[int] = []
    for row in _in_effect(connection, organization_id, runs):
        if row.retries in followed:
            followed.add(row.id)
            wanted.append(row.id)
    found: dict[str, list[Run]] = {}
    for run in some(connection, wanted) if wanted else ():
        found.setdefault(run.resource, []).append(run)
    return found


def later_sync(connection: Connection, run: Run) -> Run | None:
    """Return the last sync of everything that was applied after a run, and was not undone since."""
    newest = sa.select(sa.func.max(_RUNS.id)).where(
        _RUNS.organization_id == run.organization_id,
        _RUNS.resource == run.resource,
        _RUNS.id > run.id,
        in_step(tables.runs),
    )
    found = connection.execute(newest).scalar()
    if found and found in (undone := undos.standing(connection, [run.organization_id], run.id)):
        found = connection.execute(newest.where(_RUNS.id.not_in(list(undone)))).scalar()
    return some(connection, [found])[0] if found else None


def _in_effect(
    connection: Connection, organization_id: int, runs: Mapping[str, Run]
) -> Iterator[Row[Any, Any, Any]]:
    """Yield the retries that were applied after these runs, and not undone since: oldest first."""
    if not runs:
        return
    newer = (sa.and_(_RUNS.resource == name, _RUNS.id > run.id) for name, run in runs.items())
    query = (
        sa.select(_RUNS.id, _RUNS.resource, _RUNS.retries)
        .where(_RUNS.organization_id == organization_id, _RUNS.status.in_(APPLIED))
        .where(_RUNS.kind == RunKind.RETRY, sa.or_(*newer))
        .order_by(_RUNS.id)
    )
    found = connection.execute(query).all()
    first = min(run.id for run in runs.values())
    undone = undos.standing(connection, [organization_id], first) if found else {}
    yield from (row for row in found if row.id not in undone)


def failed_rows(connection: Connection, run_id: int) -> int:
    """Return how many rows failed in a run, of all tables."""
    query = sa.select(sa.func.coalesce(sa.func.sum(_TALLIES.failed), 0))
    return int(connection.execute(query.where(_TALLIES.run_id == run_id)).scalar_one())
