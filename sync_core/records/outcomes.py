"""What a run did to each row, or would do while its plan waits, a screenful at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.issue import Issue
from sync_core.foundation import searching, tables
from sync_core.foundation.vocabulary import OutcomeKind, RunStatus
from sync_core.organizations.people import Person
from sync_core.records import exact_json, planned, privacy
from sync_core.records.privacy import Place
from sync_core.runs import Run

Moment = datetime | sa.ColumnElement[Any]


@dataclass(frozen=True)
class Outcome:
    """What happened to one row; `changes` gives before and after, or the whole removed row."""

    entity: str
    kind: str
    row_number: int | None
    key: str | None
    identity: str | None  # the key as it is stored; None where it is hidden, or not known
    name: str | None
    rule: str | None
    changes: Mapping[str, Any] | None
    issues: Sequence[Issue]


@dataclass(frozen=True)
class Wanted:
    """Which outcomes of a run are asked for, and the window that is shown."""

    kinds: Sequence[str]
    search: str = ""  # occurs in key, name, rule or reasons
    entity: str | None = None
    field: str | None = None  # a column that is changed, or in which something is wrong
    reason: str | None = None  # the code of an issue, or the name of a rule
    row: int | None = None  # its number in the source
    limit: int = 50
    offset: int = 0


def table(connection: Connection, run: Run) -> sa.FromClause:
    """Return where the outcomes of a run stand: its plans, while they wait for a person."""
    waits = run.status == RunStatus.WAITING and planned.hold(connection, run)
    return planned.changes(run) if waits else tables.outcomes


def of_run(run: Run, kept: sa.FromClause = tables.outcomes) -> sa.ColumnElement[bool]:
    """Return the condition that an outcome is the run's; its plans hold no others."""
    if kept is not tables.outcomes:
        return sa.true()
    return sa.and_(kept.c.run_id == run.id, within(run.queued_at, run.finished_at))


def within(
    asked: Moment, ended: Moment | None, at: sa.ColumnElement[Any] = tables.outcomes.c.at
) -> sa.ColumnElement[bool]:
    """Return the condition that an outcome is of this time, as those of a run always are.

    So Postgres looks at the partition of that month, or of two, and not at those of all years.
    """
    return at >= asked if ended is None else at.between(asked, ended)


def count(connection: Connection, run: Run, wanted: Wanted, person: Person | None = None) -> int:
    """Count the outcomes of the run that the person asks for."""
    kept = table(connection, run)
    query = sa.select(sa.func.count()).select_from(kept).where(*which(run, kept, wanted, person))
    return int(connection.execute(query).scalar_one())


def by_kind(
    connection: Connection, run: Run, wanted: Wanted, person: Person | None = None
) -> dict[str, int]:
    """Count the outcomes of the run that the person asks for, by kind."""
    kept = table(connection, run)
    query = sa.select(kept.c.kind, sa.func.count().label("rows")).group_by(kept.c.kind)
    rows = connection.execute(query.where(*which(run, kept, wanted, person)))
    return {row.kind: row.rows for row in rows}


def by_column(connection: Connection, run: Run) -> dict[tuple[str, str], int]:
    """Count the rows that the run updates in each column, by entity and column.

    Which columns these are is no secret, whoever asks.
    """
    kept = table(connection, run)
    entities = resources.by_name(run.resource).entities
    columns = sorted({field.column for entity in entities for field in entity.fields})
    changed = (sa.func.count().filter(kept.c.changes.has_key(c)).label(c) for c in columns)
    query = (
        sa.select(kept.c.entity.label("_entity"), *changed)
        .where(of_run(run, kept), kept.c.kind == OutcomeKind.UPDATED)
        .group_by(kept.c.entity)
    )
    found = connection.execute(query).mappings().all()
    return {(row["_entity"], c): row[c] for row in found for c in columns if row[c]}


def read(
    connection: Connection, run: Run, wanted: Wanted, person: Person | None = None
) -> list[Outcome]:
    """Read a window of the run's outcomes: failed ones first, then as tables and rows follow.

    What the `person` may not see is masked, and neither searched nor sorted by.
    """
    kept = table(connection, run)
    seen = privacy.outcomes(Place.HISTORY, person, table=kept)
    entities = resources.by_name(run.resource).entities
    places = {entity.name: place for place, entity in enumerate(entities)}
    query = (
        sa.select(
            kept.c.entity,
            kept.c.kind,
            kept.c.row_number,
            seen.key.label("key"),
            seen.identity.label("identity"),
            seen.name.label("name"),
            kept.c.rule,
            sa.cast(seen.changes, sa.Text).label("changes"),
            seen.issues.label("issues"),
        )
        .where(*which(run, kept, wanted, person))
        .order_by(
            (kept.c.kind == OutcomeKind.FAILED).desc(),
            sa.case(places, value=kept.c.entity),
            kept.c.row_number.nulls_last(),
            privacy.outcomes(Place.SORT, person, table=kept).order,
        )
        .limit(wanted.limit)
        .offset(wanted.offset)
    )
    rows = connection.execute(query).mappings()
    return [
        Outcome(
            **{
                **row,
                "changes": exact_json.read(row["changes"]),
                "issues": [Issue.from_json(one) for one in row["issues"] or ()],
            }
        )
        for row in rows
    ]


def which(
    run: Run, kept: sa.FromClause, wanted: Wanted, person: Person | None
) -> Iterator[sa.ColumnElement[bool]]:
    """Return the conditions that an outcome of the run is one that the person asks for."""
    yield of_run(run, kept)
    yield kept.c.kind.in_(wanted.kinds)
    if wanted.entity:
        yield kept.c.entity == wanted.entity
    if wanted.field:
        yield _concerns(kept, wanted.field)
    if wanted.reason:
        yield (kept.c.rule == wanted.reason) | _has_issue(kept, code=wanted.reason)
    if wanted.row is not None:
        yield kept.c.row_number == wanted.row
    seen = privacy.outcomes(Place.SEARCH, person, table=kept)
    row = sa.func.concat_ws("\n", seen.key, seen.name, kept.c.rule, sa.cast(seen.issues, sa.Text))
    yield from searching.looked_up(row, wanted.search)


def _concerns(kept: sa.FromClause, column: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row changes a column, or that something is wrong in it."""
    updated = kept.c.kind == OutcomeKind.UPDATED
    labels = {f.label for e in resources.ENTITIES.values() for f in e.fields if f.column == column}
    wrong = (_has_issue(kept, field=label) for label in labels)
    return sa.case((updated, kept.c.changes.has_key(column)), else_=sa.or_(sa.false(), *wrong))


def _has_issue(kept: sa.FromClause, **parts: str) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(kept.c.issues.contains([parts]), sa.false())
