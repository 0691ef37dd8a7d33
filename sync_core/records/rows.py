"""The rows of a target table, a screenful at a time: searched, sorted and cut in SQL."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from dataclasses import field as declared
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import target
from sync_core.catalogue.fields import Field, Moment
from sync_core.catalogue.resource import Entity
from sync_core.foundation import csv_writer, db, searching
from sync_core.organizations.people import Person
from sync_core.records import privacy
from sync_core.records.privacy import MASK, Place


@dataclass(frozen=True)
class View:
    """Which rows of an entity are wanted, and in which order."""

    search: str = ""  # each word must occur somewhere in a row
    only: Mapping[str, Sequence[Any]] = declared(
        default_factory=dict
    )  # column -> values, any of them
    order: str | None = None  # a column; None: by key
    descending: bool = False
    limit: int = 50
    offset: int = 0
    within: sa.TextualSelect | None = None  # the keys of a group: only of those in it


EVERYTHING = View()
FEW_ROWS = 1_000


def count(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    view: View = EVERYTHING,
    person: Person | None = None,
) -> int:
    """Count the rows of the organization that the person wants, on all screens together."""
    found = sa.select(sa.func.count()).select_from(target.target(entity))
    found = _wanted(found, organization_id, entity, view, person)
    with _without_loops(connection, view):
        return int(connection.execute(found).scalar_one())


def values(
    connection: Connection, organization_id: int, entity: Entity, column: str, most: int
) -> list[Any]:
    """Return what stands in a column, each once; nothing where there are more than `most`.

    Of what not everybody may see, it gives nothing.
    """
    if column not in _seen(entity, Place.FILTER, None):
        return []
    found = target.target(entity).c[column]
    every = sa.select(found).where(found.is_not(None))
    every = _wanted(every, organization_id, entity, EVERYTHING, None)
    few = every.limit(FEW_ROWS).subquery()  # these tell already of most columns that have too many
    if connection.execute(sa.select(sa.func.count(few.c[0].distinct()))).scalar_one() > most:
        return []
    there = list(connection.execute(every.distinct().order_by(found).limit(most + 1)).scalars())
    return there if len(there) <= most else []


def read(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    view: View,
    person: Person | None = None,
) -> list[Sequence[Any]]:
    """Read the wanted rows: the cells in the order of the entity's fields.

    What the `person` may not see is masked, and neither searched, filtered nor sorted by.
    """
    table = target.target(entity)
    unseen = privacy.hidden(entity, Place.PAGE, person)
    columns = [
        _masked(table.c[f.column]) if f in unseen else table.c[f.column] for f in entity.fields
    ]
    query = _wanted(sa.select(*columns), organization_id, entity, view, person)
    order = _order(entity, view, person)
    query = query.order_by(*order).limit(view.limit).offset(view.offset)
    with _without_loops(connection, view):
        return list(connection.execute(query).all())


def _without_loops(connection: Connection, view: View) -> AbstractContextManager[None]:
    return db.without_loops(connection) if view.within is not None else nullcontext()


def for_file(
    organization_id: int, entity: Entity, view: View, person: Person | None = None
) -> sa.Select[Any]:
    """Return the query of all wanted rows for a file: what the person may not see is left out."""
    table = target.target(entity)
    unseen = privacy.hidden(entity, Place.EXPORT, person)
    columns: list[sa.ColumnElement[Any]] = [
        _for_file(field, table.c[field.column]).label(_title_in_file(field))
        for field in entity.fields
        if field not in unseen
    ]
    every: sa.Select[Any] = sa.select(*columns)
    query = _wanted(every, organization_id, entity, view, person)
    return query.order_by(*_order(entity, view, person))


def _title_in_file(field: Field) -> str:
    return csv_writer.utc(field.label) if isinstance(field, Moment) else field.label


def _for_file(field: Field, column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return csv_writer.moment(column) if isinstance(field, Moment) else csv_writer.text(column)


def _masked(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.case((column.is_not(None), MASK)).label(None)


def _seen(entity: Entity, place: Place, person: Person | None) -> dict[str, sa.ColumnElement[Any]]:
    """Return the columns that the person sees in a place, by name."""
    table, unseen = target.target(entity), privacy.hidden(entity, place, person)
    return {f.column: table.c[f.column] for f in entity.fields if f not in unseen}


def _wanted(
    query: sa.Select[Any], organization_id: int, entity: Entity, view: View, person: Person | None
) -> sa.Select[Any]:
    table = target.target(entity)
    searched = _seen(entity, Place.SEARCH, person).values()
    chosen = _seen(entity, Place.FILTER, person)
    query = query.where(table.c.organization_id == organization_id, table.c._removed_at.is_(None))  # noqa: SLF001 - a column of ours
    if view.within is not None:
        query = query.where(table.c[entity.keys[0].column].in_(view.within))
    row = sa.func.concat_ws("\n", *(sa.cast(column, sa.Text) for column in searched))
    for some in view.only.values():
        searching.require_few(some)
    return query.where(
        *searching.looked_up(row, view.search),
        *(chosen[name].in_(some) for name, some in view.only.items() if some and name in chosen),
    )


def _order(entity: Entity, view: View, person: Person | None) -> list[sa.ColumnElement[Any]]:
    """Order by the wanted column, then by the key, so that no row is on two screens.

    A key that may not be seen is put in an order that says nothing of it.
    """
    table, seen = target.target(entity), _seen(entity, Place.SORT, person)
    keys = [seen.get(f.column, _scrambled(table.c[f.column])) for f in entity.keys]
    wanted = [column for name, column in seen.items() if name == view.order]
    first = [column.desc() if view.descending else column for column in wanted or keys[:1]]
    return [*(column.nulls_last() for column in first), *keys]


def _scrambled(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.md5(sa.cast(column, sa.Text))
