"""What is wrong with the failed rows of a run, cell by cell, grouped by cause.

Those that fail by themselves come first: then, below each, the rows that fail only because of it.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue.issue import Issue, part
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.organizations.people import Person
from sync_core.records import outcomes, privacy
from sync_core.records.outcomes import Wanted
from sync_core.records.privacy import Outcomes, Place
from sync_core.records.reasons import Reason, referred
from sync_core.runs import Run

FIRST = 1  # of the issues of a row


@dataclass(frozen=True)
class Failure:
    """One cell that is wrong; `cause` is that of its group, `value` what the source has there."""

    entity: str
    row_number: int | None
    key: str | None
    name: str | None
    value: str | None
    issue: Issue
    follows: bool  # only from what is wrong with another row
    cause: Reason


def count(connection: Connection, run: Run, wanted: Wanted, person: Person | None = None) -> int:
    """Count the wrong cells of the failed rows that the person asks for."""
    found = _wanted(connection, run, wanted, person).order_by(None).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one())


def read(
    connection: Connection, run: Run, wanted: Wanted, person: Person | None = None
) -> list[Failure]:
    """Read a window of the wrong cells, by cause; what the person may not see is masked."""
    found = _wanted(connection, run, wanted, person)
    rows = connection.execute(found.limit(wanted.limit).offset(wanted.offset))
    return [
        Failure(
            row.entity,
            row.row_number,
            row.key,
            row.name,
            row.value,
            Issue.from_json(row.issue),
            row.follows,
            Reason(row.cause_entity, OutcomeKind.FAILED, row.cause_field, row.cause_code, row.rows),
        )
        for row in rows
    ]


def _wanted(
    connection: Connection, run: Run, wanted: Wanted, person: Person | None
) -> sa.Select[Any]:
    kept = outcomes.table(connection, run)
    asked = sa.and_(*outcomes.which(run, kept, wanted, person)).label("asked")
    seen = privacy.outcomes(Place.HISTORY, person, table=kept)
    columns = (seen.key.label("key"), seen.name.label("name"), asked)
    found = by_cause(run, seen, *columns)
    return found.where(found.selected_columns.asked)


def by_cause(run: Run, seen: Outcomes, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select the wrong cells of the run's failed rows, by cause, with `more` of the rows."""
    line = _told(run, seen, *more)
    cause = line.alias("cause")
    its = (cause.c.entity == line.c.parent) & (cause.c.row_number == line.c.because)
    by_itself = cause.c.entity.is_(None)
    group = [
        sa.func.coalesce(cause.c[name], line.c[name]).label(f"cause_{name}")
        for name in ("entity", "field", "code")
    ]
    rows = sa.func.count().filter(by_itself).over(partition_by=group).label("rows")
    root = sa.func.coalesce(cause.c.row_number, line.c.row_number)
    return (
        sa.select(*line.c, (~by_itself).label("follows"), *group, rows)
        .select_from(line.outerjoin(cause, its & (cause.c.place == FIRST)))
        .order_by(
            rows.desc(),
            *group,
            root,
            by_itself.desc(),
            line.c.entity,
            line.c.row_number,
            line.c.place,
        )
    )


def _told(run: Run, seen: Outcomes, *more: sa.ColumnElement[Any]) -> sa.CTE:
    """Select each thing that is wrong with a failed row, in the order of its cells."""
    kept = seen.table
    value = sa.column("value", JSONB)
    listed = sa.func.jsonb_array_elements(seen.issues).table_valued(
        value, with_ordinality="place", name="listed"
    )
    listed = listed.render_derived()
    issue = listed.c.value
    field = part(issue, "field")
    return (
        sa.select(
            kept.c.entity,
            kept.c.row_number,
            seen.of(field).label("value"),
            issue.label("issue"),
            listed.c.place,
            field.label("field"),
            part(issue, "code").label("code"),
            sa.cast(part(issue, "cause"), sa.Integer).label("because"),
            referred(kept.c.entity, field).label("parent"),
            *more,
        )
        .select_from(kept)
        .join(listed, sa.true())
        .where(outcomes.of_run(run, kept), kept.c.kind == OutcomeKind.FAILED)
        .cte("told")
    )
