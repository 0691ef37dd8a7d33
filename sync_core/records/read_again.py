"""What became of the rows that failed in a run, where retries or later syncs read them again."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.records import comparisons
from sync_core.runs import Run, retries


@dataclass(frozen=True)
class ReadAgain:
    """The runs that read the failed rows of a run again and stand, and how many still fail."""

    by: Sequence[int]  # runs, the oldest first; the last tells what still fails
    is_sync: bool  # these are a later sync of everything and its retries, else the run's retries
    failed: int  # rows, in the run itself
    left: int | None  # of these that failed in the last one, too; None: their rows were deleted

    @property
    def may_retry(self) -> bool:
        """Return whether a retry of the run itself has anything to do that no other one has."""
        return not self.is_sync and self.left != 0


def since(connection: Connection, run: Run) -> ReadAgain | None:
    """Return what became of the rows that failed in a run; None where none was read again."""
    sync = retries.later_sync(connection, run)
    judged = sync or run
    found = retries.latest(connection, run.organization_id, {run.resource: judged})
    again = [*([sync] if sync else []), *found.get(run.resource, ())]
    if not again:
        return None
    failed = retries.failed_rows(connection, run.id)
    fails = retries.failed_rows(connection, again[-1].id)
    left = _still_failing(connection, run, again[-1], failed) if sync and fails else fails
    return ReadAgain([one.id for one in again], sync is not None, failed, left)


def require_may_retry(connection: Connection, run: Run) -> int:
    """Return how many rows failed in a run of which a retry has something to do.

    Raises SyncError: nothing_to_retry, already_fixed, read_by_later_sync.
    """
    failed = retries.require_failed_rows(connection, run)
    again = since(connection, run)
    if again and again.left == 0:
        raise SyncError("already_fixed", run=run.id, later=again.by[-1])
    if again and not again.may_retry:
        raise SyncError("read_by_later_sync", run=run.id, later=again.by[-1])
    return failed


def _still_failing(connection: Connection, run: Run, later: Run, failed: int) -> int | None:
    """Count the rows that failed in a run whose key, or else number, failed in a later one too."""
    mine, theirs = tables.outcomes, tables.outcomes.alias("theirs")
    known, left = 0, 0
    for entity in resources.by_name(run.resource).entities:
        ours = comparisons.failed_in(run, mine, entity.name).subquery()
        still = ours.c[0].in_(comparisons.failed_in(later, theirs, entity.name))
        counted = sa.select(sa.func.count(), sa.func.count().filter(still)).select_from(ours)
        rows, fail = connection.execute(counted).one()
        known, left = known + rows, left + fail
    return left if known == failed else None
