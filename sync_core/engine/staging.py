"""The staging table of a run's entity: every row that was read, typed, in one COPY a page."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import sqlalchemy as sa
from psycopg import errors, sql
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import dialect, insert

from sync_core.catalogue.resource import Entity
from sync_core.engine.observations import Observations
from sync_core.engine.validate import (
    DELIMITER,
    ISSUES,
    MARKS,
    QUOTE,
    RAW,
    ROW,
    RULE,
    Format,
    ValidatedPage,
    page_columns,
)
from sync_core.foundation import db, tables
from sync_core.records import plan_format
from sync_core.runs.sheet_facts import SheetFacts
from sync_core.runs.traffic import Traffic

OURS = f"{ROW} integer, {RULE} text, {MARKS} bigint, {ISSUES} jsonb, {RAW} jsonb"
_FORMATS: Mapping[Format, sql.Composable] = {
    "text": sql.SQL("format text"),
    "csv": sql.SQL("format csv, quote {}").format(sql.Literal(QUOTE)),
}


def table(run_id: int, entity: Entity, what: str = "rows") -> sql.Identifier:
    """Name the run's own table of an entity's `rows`, or of its `plan`."""
    return sql.Identifier(plan_format.SCHEMA, plan_format.table_name(run_id, entity.name, what))


@dataclass(frozen=True)
class Checkpoint:
    """How far the reading of a sheet has come: what is staged of it, and where it goes on."""

    staged: int = 0
    blank: int = 0
    keyless: int = 0
    cursor: Any = None  # JSON; None where the source cannot go on in the middle
    complete: bool = False
    observed: Mapping[str, Any] = field(default_factory=dict)  # `Observations` as JSON


class StagingLostError(Exception):
    """Postgres crashed and emptied what was staged: another attempt reads it again."""


def is_lost(error: Exception) -> bool:
    """Return whether an attempt failed of a crash that emptied staging, or forgot a table of it."""
    forgotten = isinstance(error, errors.UndefinedTable) and '"staging.' in str(error)
    return forgotten or isinstance(error, StagingLostError)


def create(connection: Connection, run_id: int, entity: Entity, sheet: SheetFacts) -> None:
    """Make an empty staging table for a `sheet`; what an earlier attempt staged is dropped.

    It is unlogged: a crash of Postgres empties it, which the checkpoint's count reveals.
    """
    do_not_wait(connection)
    for what in ("confirmed", "plan", "rows"):  # the first two may be views of the last
        drop(connection, table(run_id, entity, what))
    db.cursor(connection).execute(new_table(run_id, entity))
    fresh = {**asdict(Checkpoint()), "sheet": sheet.as_json(), "figures": {}}
    connection.execute(
        insert(tables.checkpoints)
        .values(run_id=run_id, entity=entity.name, **fresh)
        .on_conflict_do_update(index_elements=["run_id", "entity"], set_=fresh)
    )


def new_table(run_id: int, entity: Entity) -> sql.Composed:
    """Return the SQL that makes the staging table of an entity."""
    columns = sql.SQL(",\n    ").join(
        sql.SQL("{} {}").format(sql.Identifier(f.column), sql.SQL(type_name(f.sql_type)))
        for f in entity.fields
    )
    return sql.SQL(
        "create unlogged table {} (\n    {},\n    {}\n) with (autovacuum_enabled = false)"
    ).format(table(run_id, entity), sql.SQL(OURS), columns)


def do_not_wait(connection: Connection) -> None:
    """Let the commit not wait for the disk: a crash that forgets it empties staging as well."""
    db.cursor(connection).execute("set local synchronous_commit = off")


def kept(
    connection: Connection, run_id: int, entity: Entity, sheet: SheetFacts
) -> Checkpoint | None:
    """Read how far an earlier attempt came with the same `sheet`, if all it staged is there."""
    names = tables.checkpoints.c
    row = connection.execute(
        sa.select(*(names[column.name] for column in fields(Checkpoint))).where(
            names.run_id == run_id, names.entity == entity.name, names.sheet == sheet.as_json()
        )
    ).one_or_none()
    if row is None or row.staged != count(connection, run_id, entity):
        return None
    return Checkpoint(*row)


def is_lost_since(connection: Connection, run_id: int, entity: Entity) -> bool:
    """Return whether rows are gone that had all been staged."""
    names = tables.checkpoints.c
    staged = connection.execute(
        sa.select(names.staged).where(
            names.run_id == run_id, names.entity == entity.name, names.complete
        )
    ).scalar()
    if staged is None:  # they are being read once more
        return False
    there = _kind(connection, table(run_id, entity)) is not None
    return not there or count(connection, run_id, entity) != staged


def put_plan_aside(connection: Connection, run_id: int, entity: Entity) -> None:
    """Keep the plan that stands under another name, so that a new one can be compared with it."""
    kinds = {
        "r": sql.SQL("alter table {} rename to {}"),
        "v": sql.SQL("alter view {} rename to {}"),
    }
    aside = table(run_id, entity, "confirmed")
    if _kind(connection, aside) is None and (
        kind := _kind(connection, table(run_id, entity, "plan"))
    ):
        new_name = sql.Identifier(plan_format.table_name(run_id, entity.name, "confirmed"))
        rename = kinds[kind].format(table(run_id, entity, "plan"), new_name)
        db.cursor(connection).execute(rename)


def plan_is_aside(connection: Connection, run_id: int, entity: Entity) -> bool:
    """Return whether a plan was kept aside that a new one can be compared with."""
    return _kind(connection, table(run_id, entity, "confirmed")) is not None


def leave_out(connection: Connection, run_id: int, entity: Entity, blank: int) -> None:
    """Count rows that were deleted from staging as blank ones, whose key could not be read."""
    so_far = tables.checkpoints.c
    connection.execute(
        _update(run_id, entity).values(
            staged=so_far.staged - blank,
            blank=so_far.blank + blank,
            keyless=so_far.keyless - blank,
        )
    )


def complete(connection: Connection, run_id: int, entity: Entity, traffic: Traffic) -> None:
    """Note that the sheet was read to its end, and what that took."""
    do_not_wait(connection)
    noted = {"complete": True, "traffic": traffic.as_json()}
    connection.execute(_update(run_id, entity).values(noted))


def _update(run_id: int, entity: Entity) -> sa.Update:
    names = tables.checkpoints.c
    return sa.update(tables.checkpoints).where(names.run_id == run_id, names.entity == entity.name)


def type_name(sql_type: sa.types.TypeEngine[object]) -> str:
    """Return what Postgres calls a type."""
    return sql_type.compile(dialect=dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it out


def write(
    connection: Connection,
    run_id: int,
    entity: Entity,
    page: ValidatedPage,
    cursor: object,
    observed: Observations,
) -> None:
    """Append a validated page, and count it in the run's checkpoint.

    `observed` is what was seen up to it, and in it.
    """
    do_not_wait(connection)
    append(connection, run_id, entity, *page.for_copy())
    so_far = tables.checkpoints.c
    connection.execute(
        _update(run_id, entity).values(
            staged=so_far.staged + page.frame.height,
            blank=so_far.blank + page.blank,
            keyless=so_far.keyless + page.keyless,
            cursor=cursor,
            observed=observed.as_json(),
        )
    )


def append(connection: Connection, run_id: int, entity: Entity, form: Format, rows: bytes) -> None:
    """Append rows that a `ValidatedPage` has written for COPY."""
    command = sql.SQL("copy {} ({}) from stdin ({}, delimiter {}, null '')").format(
        table(run_id, entity),
        sql.SQL(", ").join(map(sql.Identifier, page_columns(entity))),
        _FORMATS[form],
        sql.Literal(DELIMITER),
    )
    with db.cursor(connection).copy(command) as copy:
        copy.write(rows)


def count(connection: Connection, run_id: int, entity: Entity) -> int:
    """Count the staged rows."""
    found = db.cursor(connection).execute(
        sql.SQL("select count(*) from {}").format(table(run_id, entity))
    )
    return int(found.fetchall()[0][0])


def drop(connection: Connection, name: sql.Identifier) -> None:
    """Drop a table of a run, or the view that stands for it, if it is there."""
    kinds = {"r": sql.SQL("drop table if exists {}"), "v": sql.SQL("drop view if exists {}")}
    if kind := _kind(connection, name):
        db.cursor(connection).execute(kinds[kind].format(name))


def is_view(connection: Connection, name: sql.Identifier) -> bool:
    """Return whether a view stands for a table of a run."""
    return _kind(connection, name) == "v"


def _kind(connection: Connection, name: sql.Identifier) -> str | None:
    query = "select relkind from pg_class where oid = to_regclass(%s)"
    found = db.cursor(connection).execute(query, [name.as_string()]).fetchone()
    return str(found[0]) if found else None


def drop_ended(connection: Connection) -> None:
    """Drop the staging and plan tables of runs that have ended, the views on them first."""
    names = connection.execute(
        sa.text(
            "select relname from pg_class join runs"
            " on runs.id = substring(relname from '_([0-9]+)$')::bigint"
            " where relnamespace = 'staging'::regnamespace and relkind in ('r', 'v')"
            " and finished_at is not null order by relkind desc"
        )
    ).scalars()
    for name in list(names):
        drop(connection, sql.Identifier("staging", name))
