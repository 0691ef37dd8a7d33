"""The rows of a target table, a screenful at a time: searched, sorted and cut in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import tables
from sync_core.resource import Entity


@dataclass(frozen=True)
class View:
    """Which rows of an entity are wanted, and in which order."""

    search: str = ""  # each word must occur somewhere in a row
    order: str | None = None  # a column; None: by key
    descending: bool = False
    limit: int = 50
    offset: int = 0


def count(connection: Connection, organization_id: int, entity: Entity, search: str = "") -> int:
    """Count the rows of the organization in which the search occurs."""
    table = tables.target(entity)
    found = _wanted(sa.select(sa.func.count()).select_from(table), organization_id, entity, search)
    return int(connection.execute(found).scalar_one())


def read(
    connection: Connection, organization_id: int, entity: Entity, view: View
) -> list[Sequence[Any]]:
    """Read the wanted rows: the cells in the order of the entity's fields."""
    table = tables.target(entity)
    columns = [table.c[field.column] for field in entity.fields]
    query = _wanted(sa.select(*columns), organization_id, entity, view.search)
    query = query.order_by(*_order(entity, view)).limit(view.limit).offset(view.offset)
    return list(connection.execute(query).all())


def _wanted(
    query: sa.Select[Any], organization_id: int, entity: Entity, search: str
) -> sa.Select[Any]:
    table = tables.target(entity)
    query = query.where(table.c.organization_id == organization_id, table.c._removed_at.is_(None))  # noqa: SLF001 - a column of ours
    texts = [sa.cast(table.c[field.column], sa.Text) for field in entity.fields]
    row = sa.func.concat_ws("\n", *texts)
    return query.where(*(row.icontains(word, autoescape=True) for word in search.split()))


def _order(entity: Entity, view: View) -> list[sa.ColumnElement[Any]]:
    """Order by the wanted column, then by the key, so that no row is on two screens."""
    table = tables.target(entity)
    keys = [table.c[field.column] for field in entity.keys]
    wanted = [table.c[field.column] for field in entity.fields if field.column == view.order]
    first = [column.desc() if view.descending else column for column in wanted or keys[:1]]
    return [*(column.nulls_last() for column in first), *keys]
