"""What waits for a worker and what is at work: where, and since when."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import ACTIVE, RunStatus
from sync_core.runs import accounts
from sync_core.runs.filters import Filter
from sync_core.runs.run import Run, found, queue_positions

MOST = 500  # active runs of an organization

_RUNS, _LEASES = tables.runs.c, tables.leases.c


@dataclass(frozen=True)
class AtWork:
    """A run that waits for a worker, or that one works on."""

    run: Run
    since: datetime  # it waits, or is worked on
    place: int | None  # among all that wait, of all organizations; None: a worker has it
    machine: str | None  # of that worker
    account_full: bool  # it waits, for as many runs as may read with the account of its source


def of(connection: Connection, organization_id: int) -> list[AtWork]:
    """List the active runs of an organization: those at work first, then in their order."""
    asked = Filter(organizations=(organization_id,), status=tuple(ACTIVE))
    active = found(connection, asked, MOST)
    ids = [run.id for run in active]
    places = queue_positions(connection, organization_id)
    held = sa.select(_LEASES.run_id, _LEASES.worker).where(_LEASES.run_id.in_(ids))
    workers = {row.run_id: row.worker for row in connection.execute(held)}
    full = (_RUNS.id.in_(ids), _RUNS.status == RunStatus.QUEUED, ~accounts.is_free())
    held_up = set(connection.execute(sa.select(_RUNS.id).where(*full)).scalars())
    listed = [
        AtWork(
            run,
            run.started_at if run.id in workers and run.started_at else run.queued_at,
            places.get(run.id),
            workers[run.id].partition(":")[0] if run.id in workers else None,
            run.id in held_up,
        )
        for run in active
    ]
    return sorted(listed, key=lambda one: (one.place or 0, one.run.id))


def of_others(connection: Connection, organization_id: int) -> tuple[int, int]:
    """Count the runs of all other organizations that wait, and that are at work."""
    others = (_RUNS.organization_id != organization_id, _RUNS.status.in_(ACTIVE))
    is_running = _RUNS.status == RunStatus.RUNNING
    counts = sa.select(
        sa.func.count().filter(~is_running), sa.func.count().filter(is_running)
    ).where(*others)
    waiting, at_work = connection.execute(counts).one()
    return waiting, at_work
