"""The rows of a target table, a screenful at a time: searched, sorted and cut in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import tables
from sync_core.resource import Entity


@dataclass(frozen=True)
class View:
    """Which rows of an entity are wanted, and in which order."""

    search: str = ""  # each word must occur somewhere in a row
    only: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # column -> values, any of them
    order: str | None = None  # a column; None: by key
    descending: bool = False
    limit: int = 50
    offset: int = 0


EVERYTHING = View()


def count(
    connection: Connection, organization_id: int, entity: Entity, view: View = EVERYTHING
) -> int:
    """Count the rows of the organization that are wanted, on all screens together."""
    table = tables.target(entity)
    found = _wanted(sa.select(sa.func.count()).select_from(table), organization_id, entity, view)
    return int(connection.execute(found).scalar_one())


def values(
    connection: Connection, organization_id: int, entity: Entity, column: str, most: int
) -> list[Any]:
    """Give what stands in a column, each once; nothing where there are more than `most`."""
    found = tables.target(entity).c[column]
    query = sa.select(found).distinct().where(found.is_not(None)).order_by(found).limit(most + 1)
    query = _wanted(query, organization_id, entity, EVERYTHING)
    there = list(connection.execute(query).scalars())
    return there if len(there) <= most else []


def read(
    connection: Connection, organization_id: int, entity: Entity, view: View
) -> list[Sequence[Any]]:
    """Read the wanted rows: the cells in the order of the entity's fields."""
    table = tables.target(entity)
    columns = [table.c[f.column] for f in entity.fields]
    query = _wanted(sa.select(*columns), organization_id, entity, view)
    query = query.order_by(*_order(entity, view)).limit(view.limit).offset(view.offset)
    return list(connection.execute(query).all())


def _wanted(
    query: sa.Select[Any], organization_id: int, entity: Entity, view: View
) -> sa.Select[Any]:
    table = tables.target(entity)
    query = query.where(table.c.organization_id == organization_id, table.c._removed_at.is_(None))  # noqa: SLF001 - a column of ours
    texts = [sa.cast(table.c[f.column], sa.Text) for f in entity.fields]
    row = sa.func.concat_ws("\n", *texts)
    return query.where(
        *(row.icontains(word, autoescape=True) for word in view.search.split()),
        *(table.c[column].in_(values) for column, values in view.only.items() if values),
    )


def _order(entity: Entity, view: View) -> list[sa.ColumnElement[Any]]:
    """Order by the wanted column, then by the key, so that no row is on two screens."""
    table = tables.target(entity)
    keys = [table.c[f.column] for f in entity.keys]
    wanted = [table.c[f.column] for f in entity.fields if f.column == view.order]
    first = [column.desc() if view.descending else column for column in wanted or keys[:1]]
    return [*(column.nulls_last() for column in first), *keys]
