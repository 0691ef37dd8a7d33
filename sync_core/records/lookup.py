"""Records found by their key or their name, in all tables; also those that are gone."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.target import target
from sync_core.foundation import searching, tables
from sync_core.organizations.people import Person
from sync_core.records import privacy
from sync_core.records.outcome_format import KEY_SEPARATOR, SHOWN_SEPARATOR
from sync_core.records.privacy import Place

_RUNS, _KEPT = tables.runs.c, tables.outcomes.c


@dataclass(frozen=True)
class Found:
    """A record that a search has found."""

    entity: Entity
    key: tuple[str, ...]
    name: str  # what people call it, else its key
    is_there: bool  # whether its table shows it


def find(
    connection: Connection, organization_id: int, person: Person, search: str, most: int
) -> list[Found]:
    """Find up to `most` records of each table: by the whole key, then by parts of key and name.

    What the person may not see is not searched, and names nothing.
    """
    words = searching.words(search)
    if not words:
        return []
    return [
        one
        for entity in resources.ENTITIES.values()
        for one in _of_entity(connection, organization_id, person, entity, words, most)
    ]


def _of_entity(
    connection: Connection,
    organization_id: int,
    person: Person,
    entity: Entity,
    words: list[str],
    most: int,
) -> list[Found]:
    hidden = privacy.hidden(entity, Place.SEARCH, person)
    if not privacy.may_be_keyed(entity, hidden):
        return []
    present = list(_present(connection, organization_id, entity, words, most, hidden))
    known = {one.key for one in present}
    gone = _gone(connection, organization_id, entity, words)
    return [*present, *(one for one in gone if one.key not in known)][:most]


def _present(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    words: list[str],
    most: int,
    hidden: tuple[Field, ...],
) -> Iterator[Found]:
    """Find records that have a row, also one that is marked as removed."""
    table = target(entity)
    keys = [sa.cast(table.c[field.column], sa.Text) for field in entity.keys]
    named = [f for f in entity.fields if f.label == entity.named_by and f not in hidden]
    names = [sa.cast(table.c[field.column], sa.Text) for field in named]
    text = sa.func.concat_ws(" ", *keys, *names)
    whole = sa.func.concat_ws(" ", *keys)
    is_there = table.c._removed_at.is_(None)  # noqa: SLF001 - a column of ours
    query = (
        sa.select(is_there, *(names or keys[:1]), *keys)
        .where(table.c.organization_id == organization_id)
        .where(*(text.icontains(word, autoescape=True) for word in words))
        .order_by((sa.func.lower(whole) == " ".join(words).lower()).desc(), *keys)
        .limit(most)
    )
    for there, name, *key in connection.execute(query):
        called = name if names and name else SHOWN_SEPARATOR.join(key)
        yield Found(entity, tuple(key), called, there)


def _gone(
    connection: Connection, organization_id: int, entity: Entity, words: list[str]
) -> list[Found]:
    """Find the record that has no row any more, by its whole key: an index has those."""
    query = (
        sa.select(_KEPT.key)
        .join_from(tables.outcomes, tables.runs, _RUNS.id == _KEPT.run_id)
        .where(_RUNS.organization_id == organization_id, tables.IS_CHANGE)
        .where(_KEPT.entity == entity.name, _KEPT.key == KEY_SEPARATOR.join(words))
        .limit(1)
    )
    keys = [tuple(key.split(KEY_SEPARATOR)) for key in connection.execute(query).scalars()]
    return [Found(entity, key, SHOWN_SEPARATOR.join(key), is_there=False) for key in keys]
