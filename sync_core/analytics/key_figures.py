"""The key figures of a period."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import runs
from sync_core.analytics.definitions import (
    COMPLETED,
    JUDGED,
    ROWS_APPLIED,
    ROWS_IN_STEP,
    RUNS,
    SECONDS,
    TALLIES,
    ask,
    how_many,
    quantile,
    share,
    tallied,
)
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, FAILED, OutcomeKind, RunStatus
from sync_core.runs import filters
from sync_core.runs.filters import Filter

LIST_BEHIND: Mapping[str, tuple[str, ...]] = {  # the statuses of the runs that a figure is made of
    "runs": tuple(RunStatus),  # whatever became of them; a status is no action's
    "run_success": JUDGED,
    "row_success": APPLIED,
    "median": (RunStatus.COMPLETED,),
    "p95": (RunStatus.COMPLETED,),
    "applied": APPLIED,
    "failures": FAILED,
    "recovery": FAILED,
}


@dataclass(frozen=True)
class RunFigures:
    """How many runs there were, how they ended, and how long the completed ones took (seconds)."""

    runs: int
    judged: int
    completed: int
    median: float | None
    p95: float | None

    @property
    def success(self) -> float | None:
        """The run success rate, 0 to 1."""
        return share(self.completed, self.judged)


@dataclass(frozen=True)
class RowFigures:
    """What the runs did to rows."""

    runs: int  # that did anything at all
    in_step: int
    failed: int
    applied: int

    @property
    def success(self) -> float | None:
        """The row success rate, 0 to 1."""
        return share(self.in_step, self.in_step + self.failed)


@dataclass(frozen=True)
class Recovery:
    """How long it took until data were in step again after a failed run (seconds)."""

    failures: int
    recovered: int
    median: float | None


def of_runs(connection: Connection, wanted: Filter) -> RunFigures:
    """Return the key figures of the runs."""
    query = sa.select(
        sa.func.count().label("runs"),
        how_many(*JUDGED).label("judged"),
        how_many(RunStatus.COMPLETED).label("completed"),
        quantile(SECONDS, 0.5, COMPLETED).label("median"),
        quantile(SECONDS, 0.95, COMPLETED).label("p95"),
    ).where(*filters.runs(wanted))
    return RunFigures(**ask(connection, query)[0])


def of_rows(connection: Connection, wanted: Filter) -> RowFigures:
    """Return the key figures of the rows."""
    ran = sa.select(sa.func.count()).where(*filters.runs(wanted), RUNS.status.in_(APPLIED))
    query = tallied(
        connection,
        wanted,
        ran.scalar_subquery().label("runs"),
        *(
            sa.cast(sa.func.coalesce(sa.func.sum(count), 0), sa.BigInteger).label(name)
            for name, count in (
                ("in_step", ROWS_IN_STEP),
                (OutcomeKind.FAILED, TALLIES.failed),
                ("applied", ROWS_APPLIED),
            )
        ),
    )
    return RowFigures(**ask(connection, query)[0])


def of_recovery(connection: Connection, wanted: Filter) -> Recovery:
    """Return how long it took to recover from the failures of the period, whenever that was."""
    later_runs = tables.runs.alias("later")
    later = later_runs.c
    mended = (
        sa.select(later.finished_at)
        .where(
            later.organization_id == RUNS.organization_id,
            later.resource == RUNS.resource,
            runs.in_step(later_runs),
            later.finished_at > RUNS.finished_at,
        )
        .order_by(later.finished_at)
        .limit(1)
        .scalar_subquery()
    )
    failures = (
        sa.select(sa.func.date_part("epoch", mended - RUNS.finished_at).label("took"))
        .where(*filters.runs(wanted), RUNS.status.in_(FAILED))
        .subquery()
    )
    query = sa.select(
        sa.func.count().label("failures"),
        sa.func.count(failures.c.took).label("recovered"),
        quantile(failures.c.took, 0.5).label("median"),
    )
    return Recovery(**ask(connection, query)[0])
