"""Why runs and rows failed: by code, down to the rows, and the rows that fail again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.analytics.definitions import RUNS, ask, numbered
from sync_core.audit import exports
from sync_core.audit.exports import Askers, Export
from sync_core.catalogue.issue import part, told
from sync_core.foundation import csv_writer, tables
from sync_core.foundation.vocabulary import APPLIED, FAILED, IN_STEP, OutcomeKind, RunKind
from sync_core.organizations.people import Person
from sync_core.records import outcomes, privacy
from sync_core.records.privacy import Outcomes, Place
from sync_core.runs import filters
from sync_core.runs.filters import Filter

AGAIN = 3  # runs in which a row failed, that make it a repeat offender
SHOWN = 100  # repeat offenders, at most

_COUNTED, _OUTCOMES = tables.issue_tallies.c, tables.outcomes.c


@dataclass(frozen=True)
class Reason:
    """How often a code was the reason: of failed runs, or of failed rows."""

    code: str
    count: int
    runs: int  # in which it occurred


@dataclass(frozen=True)
class FailedRow:
    """A row that failed, with the issue that was asked for."""

    run_id: int
    at: datetime  # when the run was asked for
    resource: str
    entity: str
    row_number: int | None
    key: str | None
    name: str | None
    cell: str | None
    value: str | None
    sentence: str


@dataclass(frozen=True)
class Offender:
    """A row that failed again and again."""

    entity: str
    name: str
    runs: int
    since: datetime
    until: datetime
    run_id: int  # in which it failed last
    row_number: int | None  # there
    field: str  # that was wrong there; "" where it was the row as a whole
    code: str
    sentence: str
    still: bool  # whether it failed in the last run that was applied, whatever is asked for
    of: int  # how many such rows there are, shown or not


def of_runs(connection: Connection, wanted: Filter) -> list[Reason]:
    """Count the errors that ended runs, the most frequent first."""
    query = (
        sa.select(
            RUNS.error_code.label("code"),
            sa.func.count().label("count"),
            sa.func.count().label("runs"),
        )
        .where(*filters.runs(wanted), RUNS.status.in_(FAILED), RUNS.error_code.is_not(None))
        .group_by(RUNS.error_code)
    )
    return _ranked(connection, query)


def of_rows(connection: Connection, wanted: Filter) -> list[Reason]:
    """Count the failed rows by the codes that they carry, the most frequent first."""
    query = (
        sa.select(
            _COUNTED.code,
            sa.cast(sa.func.sum(_COUNTED.rows), sa.BigInteger).label("count"),
            sa.func.count(_COUNTED.run_id.distinct()).label("runs"),
        )
        .join(tables.runs, RUNS.id == _COUNTED.run_id)
        .where(*filters.runs(wanted), numbered(connection, wanted, _COUNTED.run_id))
        .group_by(_COUNTED.code)
    )
    return _ranked(connection, query)


def _ranked(connection: Connection, query: sa.Select[Any]) -> list[Reason]:
    ranked = query.order_by(sa.desc("count"), "code")
    return [Reason(**row) for row in ask(connection, ranked)]


def rows(
    connection: Connection,
    wanted: Filter,
    code: str,
    readers: Sequence[Person],
    limit: int = 50,
    offset: int = 0,
) -> list[FailedRow]:
    """Read a window of the failed rows that carry the code, of the newest run first.

    The counts tell in which runs the window lies; nothing else is looked at. What one of the
    readers may not see is masked.
    """
    upto = sa.func.sum(_COUNTED.rows).over(order_by=(_COUNTED.run_id.desc(), _COUNTED.entity))
    counted = (
        sa.select(_COUNTED.run_id, _COUNTED.entity, _COUNTED.rows, upto.label("upto"))
        .join(tables.runs, RUNS.id == _COUNTED.run_id)
        .where(*filters.runs(wanted), numbered(connection, wanted, _COUNTED.run_id))
        .where(_COUNTED.code == code)
        .subquery()
    )
    begin = counted.c.upto - counted.c.rows
    there = (counted.c.upto > offset, begin < offset + limit)
    chosen = sa.select(counted, begin.label("begin")).where(*there).cte("chosen")
    before = sa.select(sa.func.min(chosen.c.begin)).scalar_subquery()
    seen = privacy.outcomes(Place.HISTORY, *readers)
    query = _rows(code, seen, chosen, chosen.c.run_id, chosen.c.entity)
    found = ask(connection, query.limit(limit).offset(offset - sa.func.coalesce(before, offset)))
    return [FailedRow(**row) for row in found]


def _rows(
    code: str,
    seen: Outcomes,
    counted: sa.FromClause,
    run_id: sa.ColumnElement[int],
    entity: sa.ColumnElement[str],
) -> sa.Select[Any]:
    """Select the failed rows that carry the code, of the runs and entities that are `counted`."""
    listed = sa.func.jsonb_array_elements(seen.issues).table_valued(
        sa.column("value", tables.outcomes.c.issues.type)
    )
    issue = (
        sa.select(listed.c.value)
        .where(part(listed.c.value, "code") == code)
        .limit(1)  # a row counts once
        .lateral("issue")
    )
    return (
        sa.select(
            RUNS.id.label("run_id"),
            RUNS.queued_at.label("at"),
            RUNS.resource,
            _OUTCOMES.entity,
            _OUTCOMES.row_number,
            seen.key.label("key"),
            seen.name.label("name"),
            part(issue.c.value, "cell").label("cell"),
            seen.of(part(issue.c.value, "field")).label("value"),
            told(issue.c.value).label("sentence"),
        )
        .select_from(counted)
        .join(tables.runs, run_id == RUNS.id)
        .join(
            tables.outcomes,
            (_OUTCOMES.run_id == RUNS.id)
            & (_OUTCOMES.entity == entity)
            & (_OUTCOMES.kind == OutcomeKind.FAILED)
            & outcomes.within(RUNS.queued_at, RUNS.finished_at),
        )
        .join(issue, sa.true())
        .order_by(RUNS.id.desc(), _OUTCOMES.entity, _OUTCOMES.row_number)
    )


def file(askers: Askers, wanted: Filter, code: str) -> Export:
    """Export all failed rows that carry the code, as the page shows them. Raises no_permission."""
    seen = privacy.outcomes(Place.EXPORT, *(person for _, person in askers))
    counted = (tables.issue_tallies, _COUNTED.run_id, _COUNTED.entity)
    found = _rows(code, seen, *counted).where(*filters.runs(wanted), _COUNTED.code == code)
    return exports.failed_rows(askers, wanted, code, _titled(found))


def _titled(found: sa.Select[Any]) -> sa.Select[Any]:
    """Put the columns under their titles, the texts of rows made harmless."""
    one = found.selected_columns
    columns = {
        "Run": one.run_id,
        csv_writer.utc("Requested"): csv_writer.moment(one.at),
        "Resource": one.resource,
        "Table": one.entity,
        "Row": one.row_number,
        "Key": csv_writer.text(one.key),
        "Name": csv_writer.text(one.name),
        "Cell": csv_writer.text(one.cell),
        "Value": csv_writer.text(one.value),
        "Reason": csv_writer.text(one.sentence),
    }
    return found.with_only_columns(*(column.label(title) for title, column in columns.items()))


_WHO = sa.func.coalesce(_OUTCOMES.key, _OUTCOMES.name)  # as far as anybody knows which row it is


def offenders(connection: Connection, wanted: Filter, readers: Sequence[Person]) -> list[Offender]:
    """List the rows that failed in several runs: those that still fail, the most stubborn first.

    What one of the readers may not see is masked.
    """
    again = _again(connection, wanted).limit(SHOWN).subquery()
    found = again.c
    seen = privacy.outcomes(Place.HISTORY, *readers)
    order = privacy.outcomes(Place.SORT, *readers).order
    newest = (
        sa.select(
            seen.called.label("name"),
            seen.issues.label("issues"),
            order.label("order"),
            _OUTCOMES.row_number,
        )
        .where(
            _OUTCOMES.run_id == found.last,
            _OUTCOMES.entity == found.entity,
            _OUTCOMES.kind == OutcomeKind.FAILED,
            found.who == _WHO,
        )
        .order_by(_OUTCOMES.row_number)
        .limit(1)
        .lateral("newest")
    )
    still = _fails_now(again).label("still")
    query = (
        sa.select(
            found.entity,
            newest.c.name,
            found.runs,
            found.since,
            found.until,
            found.last.label("run_id"),
            newest.c.row_number,
            sa.func.coalesce(part(newest.c.issues[0], "field"), "").label("field"),
            sa.func.coalesce(part(newest.c.issues[0], "code"), "").label("code"),
            told(newest.c.issues[0]).label("sentence"),
            still,
            found.of,
        )
        .join(newest, sa.true())
        .order_by(
            still.desc(),
            found.runs.desc(),
            found.until.desc(),
            found.entity,
            newest.c.order,
            newest.c.row_number,
        )
    )
    return [Offender(**row) for row in ask(connection, query)]


def _fails_now(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the SQL of whether a row failed in the last run of its resource that was applied.

    A retry tries all that had failed, so that what failed in it is what still fails.
    """
    now, later = tables.runs.alias("now"), tables.runs.alias("later").c
    run = now.c
    its = (later.organization_id == rows.c.organization_id, later.resource == rows.c.resource)
    applied = (later.status.in_(APPLIED), later.kind.in_((*IN_STEP, RunKind.RETRY)))
    newest = sa.select(later.id).where(*its, *applied).order_by(later.id.desc()).limit(1)
    return (
        sa.select(_OUTCOMES.run_id)
        .join(now, run.id == _OUTCOMES.run_id)
        .where(run.id == newest.correlate(rows).scalar_subquery())
        .where(_OUTCOMES.entity == rows.c.entity, rows.c.who == _WHO)
        .where(_OUTCOMES.kind == OutcomeKind.FAILED)
        .where(outcomes.within(run.queued_at, run.finished_at))
        .correlate(rows)
        .exists()
    )


def _again(connection: Connection, wanted: Filter) -> sa.Select[Any]:
    """Select the rows that failed in several runs, with the number of the last of these."""
    runs = sa.func.count(_OUTCOMES.run_id.distinct())
    last = sa.select(sa.func.max(RUNS.finished_at)).where(*filters.runs(wanted)).scalar_subquery()
    here = numbered(connection, wanted, _OUTCOMES.run_id)
    return (
        sa.select(
            RUNS.organization_id,
            RUNS.resource,
            _OUTCOMES.entity,
            _WHO.label("who"),
            runs.label("runs"),
            sa.func.min(RUNS.queued_at).label("since"),
            sa.func.max(RUNS.queued_at).label("until"),
            sa.func.max(_OUTCOMES.run_id).label("last"),
            sa.func.count().over().label("of"),
        )
        .join(tables.runs, RUNS.id == _OUTCOMES.run_id)
        .where(
            *filters.runs(wanted), here, _OUTCOMES.kind == OutcomeKind.FAILED, _OUTCOMES.at <= last
        )
        .where(*([_OUTCOMES.at >= wanted.since] if wanted.since else []))
        .group_by(RUNS.organization_id, RUNS.resource, _OUTCOMES.entity, "who")
        .having(runs >= AGAIN)
        .order_by(sa.desc("runs"), sa.desc("until"), _OUTCOMES.entity, "who")
    )
