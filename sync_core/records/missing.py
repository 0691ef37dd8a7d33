"""The records that a run which waits has not found in its source."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.target import target
from sync_core.foundation import csv_writer
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
    if not may_see(entity, Place.PAGE, person):
        return []
    keys = len(entity.keys)
    query = _select(run, entity, partial(sa.cast, type_=sa.Text)).limit(limit)
    return [
        Missing(tuple(row[:keys]), " ".join(filter(None, row[keys:])))
        for row in connection.execute(query)
    ]


def may_see(entity: Entity, place: Place, person: Person) -> bool:
    """Return whether the person may see what the records of a table are called."""
    return privacy.may_be_named(entity, privacy.hidden(entity, place, person))


def for_file(run: Run, entity: Entity) -> sa.Select[Any]:
    """Return the query of all missing records of a table, for a file."""
    return _select(run, entity, csv_writer.text)


def _select(run: Run, entity: Entity, text: Callable[[Any], Any]) -> sa.Select[Any]:
    """Select the parts of the keys and the names of the missing records, each as a `text`."""
    table = target(entity)
    named = [field for field in entity.fields if field.label == entity.named_by]
    told = [field for field in named if field not in entity.keys]
    return (
        sa.select(*(text(table.c[f.column]).label(f.label) for f in (*entity.keys, *told)))
        .where(table.c.organization_id == run.organization_id, table.c["_removed_at"].is_(None))
        .where(~_read(run, entity, table))
        .order_by(*(table.c[key.column] for key in entity.keys))
    )


def _read(run: Run, entity: Entity, table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the source is about the record of the table."""
    keys = [sa.column(key.column, key.sql_type) for key in entity.keys]
    name = plan_format.table_name(run.id, entity.name, "rows")
    rows = sa.table(name, *keys, schema=plan_format.SCHEMA).alias("rows")
    same = (rows.c[key.name] == table.c[key.name] for key in keys)
    return sa.select(sa.literal(1)).select_from(rows).where(*same).exists()
