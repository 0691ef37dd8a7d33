"""The records that a run which waits has not found in its source."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.target import target
from sync_core.organizations.people import Person
from sync_core.records import plan_format, privacy
from sync_core.records.privacy import Place
from sync_core.runs import Run


@dataclass(frozen=True)
class Missing:
    """A record that is in the table, and not in the source."""

    key: tuple[str, ...]
    name: str  # "" where the table has no names


def of_run(
    connection: Connection, run: Run, entity: Entity, person: Person, limit: int
) -> list[Missing]:
    """Return the first of the missing records, in the order of their keys.

    None where the person may not see what they are called. The caller holds the run's plans
    (`planned.hold`).
    """
    if not privacy.may_be_named(entity, privacy.hidden(entity, Place.PAGE, person)):
        return []
    table = target(entity)
    known = [table.c[key.column] for key in entity.keys]
    named = [table.c[f.column] for f in entity.fields if f.label == entity.named_by]
    query = (
        sa.select(*(sa.cast(one, sa.Text) for one in (*known, *named)))
        .where(table.c.organization_id == run.organization_id, table.c["_removed_at"].is_(None))
        .where(~_read(run, entity, table))
        .order_by(*known)
        .limit(limit)
    )
    keys = len(known)
    return [
        Missing(tuple(row[:keys]), " ".join(filter(None, row[keys:])))
        for row in connection.execute(query)
    ]


def _read(run: Run, entity: Entity, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the source is about the record of the table."""
    keys = [sa.column(key.column, key.sql_type) for key in entity.keys]
    name = plan_format.table_name(run.id, entity.name, "rows")
    rows = sa.table(name, *keys, schema=plan_format.SCHEMA).alias("rows")
    same = (rows.c[key.name] == table.c[key.name] for key in keys)
    return sa.select(sa.literal(1)).select_from(rows).where(*same).exists()
