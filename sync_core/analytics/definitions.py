"""What the questions share: what counts as what, days and hours, and how Postgres is asked."""

from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from sync_core.foundation import db, tables, vocabulary
from sync_core.foundation.vocabulary import RunStatus
from sync_core.runs import filters
from sync_core.runs.filters import Filter

JUDGED = (*vocabulary.APPLIED, *vocabulary.FAILED)  # runs that went well or not
FEW = 20  # runs, below which one more could change a figure

DEFINITIONS = {  # shown on the page as they stand here
    "Runs": "all that were requested within the period, however they ended.",
    "Run success rate": "completed ÷ (completed + partial + failed + timed out); cancelled,"
    " expired and active runs are left out.",
    "Row success rate": "rows up to date ÷ (rows up to date + failed rows); created, updated and"
    " unchanged rows are up to date, rows that a rule skips are left out.",
    "Failed runs": "failed + timed out.",
    "Duration": "from the first start to the end, without the wait in the queue; only completed"
    " runs are timed. Half of them took no longer than the median, 95 of 100 no longer than p95.",
    "Wait": "from the request to the first start, of every run that a worker took.",
    "Rows applied": "created + updated + removed.",
    "Time to recover": "from the end of a failed or timed out run to the next end of a completed"
    " or partial run of the same resource, no matter who started it; the median of those that"
    " recovered.",
    "Failure reasons": "of runs: the code of the error that ended them; of rows: each failed row"
    " counts once for each code that it carries.",
    "Rows that keep failing": "rows that failed in three runs or more; a row is known by its key,"
    " one without a key by its name. It still fails if it failed in the last sync or retry that was"
    " applied, whatever the period.",
    "Within max age": "the part of the period in which the newest completed or partial run was no"
    " older than the max age, from the first such run on.",
    "Few runs": f"fewer than {FEW}: one more could change the figure, so none is compared with it.",
    "The period before": "is as long as the period, and ends where it begins.",
    "Days and hours": "are those of your time zone; a run belongs to the time it was requested.",
}

Unit = Literal["hour", "day"]
Number = sa.ColumnElement[Any]

RUNS, TALLIES = tables.runs.c, tables.tallies.c
SECONDS = sa.func.date_part("epoch", RUNS.finished_at - RUNS.started_at, type_=sa.Float)
WAITED = sa.func.date_part("epoch", RUNS.started_at - RUNS.queued_at, type_=sa.Float)
ROWS_IN_STEP = TALLIES.created + TALLIES.updated + TALLIES.unchanged
ROWS_APPLIED = TALLIES.created + TALLIES.updated + TALLIES.removed


def ask(connection: Connection, query: sa.sql.expression.Executable) -> list[RowMapping]:
    """Run a question; returns its rows.

    Compiling would cost more than these questions take, and their sorts shall not go to disk.
    """
    db.cursor(connection).execute("set local jit = off; set local work_mem = '64MB'")
    return list(connection.execute(query).mappings())


def bucket(zone: ZoneInfo, unit: Unit) -> Number:
    """Return the moment at which a run's day or hour began, in the zone."""
    return sa.func.date_trunc(unit, RUNS.queued_at, zone.key, type_=sa.DateTime(timezone=True))


def local(zone: ZoneInfo) -> Number:
    """Return what the clocks of the zone showed when a run was asked for."""
    return sa.func.timezone(zone.key, RUNS.queued_at)


def tallied(connection: Connection, wanted: Filter, *columns: Number) -> sa.Select[Any]:
    """Select from the counts of the runs that are wanted; a row each run and entity."""
    return (
        sa.select(*columns)
        .select_from(tables.tallies)
        .join(tables.runs, RUNS.id == TALLIES.run_id)
        .where(*filters.runs(wanted), numbered(connection, wanted, TALLIES.run_id))
    )


def numbered(connection: Connection, wanted: Filter, run_id: Number) -> sa.ColumnElement[bool]:
    """Return the condition that a number of a run lies between the first and the last wanted one.

    Postgres cannot know that runs of some weeks stand together: it would read those of all years.
    """
    number = RUNS.id + 0  # so that it does not look for the smallest from the table's begin on
    ends = sa.select(sa.func.min(number).label("first"), sa.func.max(number).label("last"))
    (found,) = ask(connection, ends.where(*filters.runs(wanted)))
    return run_id.between(found["first"] or 0, found["last"] or 0)


def how_many(*statuses: str) -> Number:
    """Count the runs that ended like this."""
    return sa.func.count().filter(RUNS.status.in_(statuses))


def share(part: float, whole: float) -> float | None:
    """Return the part of the whole, 0 to 1; None where there is nothing to divide by."""
    return part / whole if whole else None


def quantile(of: Number, part: float, *which: sa.ColumnElement[bool]) -> Number:
    """Return the value below which this part of the runs lies, between two values if need be."""
    found = sa.func.percentile_cont(part).within_group(of)
    return sa.cast(found.filter(*which) if which else found, sa.Float)


COMPLETED = RUNS.status == RunStatus.COMPLETED
