"""What people call a row whose table has no names: the parts of its key, names instead of codes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import groupby

from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Field, Time
from sync_core.catalogue.resource import Entity
from sync_core.organizations.people import Person
from sync_core.records import names
from sync_core.records.failures import Failure
from sync_core.records.outcome_format import SHOWN_SEPARATOR
from sync_core.records.outcomes import Outcome
from sync_core.records.privacy import MASK

Keyed = Outcome | Failure  # a row of a run
ON_THE_MINUTE = ":00"  # the seconds of a time, where there are none


def call(
    connection: Connection, organization_id: int, found: Iterable[Keyed], person: Person
) -> Callable[[Keyed], str]:
    """Return what calls each of these rows: "Maya Grant · Friday · 07:00"; "" for a hidden one."""
    by_table = groupby(sorted(found, key=_table), key=_table)
    known = {
        table: _names(connection, organization_id, resources.ENTITIES[table], list(rows), person)
        for table, rows in by_table
    }
    return lambda row: known[row.entity].get(row.key or "") or _open(row.name) or _open(row.key)


def _table(row: Keyed) -> str:
    return row.entity


def _names(
    connection: Connection,
    organization_id: int,
    entity: Entity,
    rows: Collection[Keyed],
    person: Person,
) -> Mapping[str, str]:
    """Return the names of rows by their keys, where their table has none of its own."""
    if any(field.label == entity.named_by for field in entity.fields):
        return {}
    keys = {key: key.split(SHOWN_SEPARATOR) for row in rows if (key := _open(row.key))}
    whole = {key: parts for key, parts in keys.items() if len(parts) == len(entity.keys)}
    told = [
        _parts(connection, organization_id, field, [parts[at] for parts in whole.values()], person)
        for at, field in enumerate(entity.keys)
    ]
    return dict(zip(whole, map(SHOWN_SEPARATOR.join, zip(*told, strict=True)), strict=True))


def _parts(
    connection: Connection,
    organization_id: int,
    field: Field,
    parts: Collection[str],
    person: Person,
) -> Collection[str]:
    """Return a part of each key as people say it."""
    if isinstance(field, Time):
        return [part.removesuffix(ON_THE_MINUTE) if part.count(":") > 1 else part for part in parts]
    known = names.of_codes(connection, organization_id, field, set(parts), person)
    return [known.get(part, part) for part in parts]


def _open(text: str | None) -> str:
    return "" if text is None or text == MASK else text
