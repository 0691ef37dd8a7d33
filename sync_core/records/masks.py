"""Which cells of rows are masked in files, for those who do not mend rows.

Addresses, phones and whatever a resource declares sensitive; sentences that may quote such a cell;
and the names and keys of rows that are called by one.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Email, Field, Phone
from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import CATALOGUE

MASK = "***"
NOT_SAID = "Not as it should be"  # where the catalogue has no sentence for a code


def is_hidden(field: Field) -> bool:
    """Return whether the cells of a field are masked."""
    return field.sensitive or isinstance(field, Email | Phone)


def headers(entity: Entity) -> set[str]:
    """Name the headers, in lower case, under which hidden cells may stand in a sheet."""
    hidden = (field for field in entity.fields if is_hidden(field))
    return {name.casefold() for field in hidden for name in (field.label, *field.aliases)}


def resources_with_hidden_names() -> list[str]:
    """Name the resources whose rows are called by something sensitive."""
    return [
        resource.name
        for resource in resources.CATALOGUE.values()
        if any(_is_called_by_hidden(entity) for entity in resource.entities)
    ]


def entities_with(hidden: Callable[[Entity], bool]) -> list[str]:
    """Name the entities of which it is true."""
    return [name for name, entity in resources.ENTITIES.items() if hidden(entity)]


def names() -> list[str]:
    """Name the entities whose rows are called by a hidden cell."""
    return entities_with(_is_called_by_hidden)


def keys() -> list[str]:
    """Name the entities with a hidden cell in their key."""
    return entities_with(lambda entity: any(is_hidden(field) for field in entity.keys))


def _is_called_by_hidden(entity: Entity) -> bool:
    by = [field for field in entity.fields if field.label == entity.named_by] or entity.keys
    return any(is_hidden(field) for field in by)


def constant(value: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    """Return the SQL of a constant in JSON."""
    return sa.cast(sa.literal(json.dumps(value)), JSONB)


def columns() -> sa.ColumnElement[Any]:
    """Return the SQL of the hidden columns and labels of each entity, as keys of an object."""
    return constant(
        {
            name: {key: 1 for f in entity.fields if is_hidden(f) for key in (f.column, f.label)}
            for name, entity in resources.ENTITIES.items()
        }
    )


def labels() -> sa.ColumnElement[Any]:
    """Return the SQL of the label of each column of each entity."""
    return constant(
        {
            name: {field.column: field.label for field in entity.fields}
            for name, entity in resources.ENTITIES.items()
        }
    )


def sentences() -> sa.ColumnElement[Any]:
    """Return the SQL of the sentence of each code, which quotes nothing."""
    return constant({code: entry.sentence for code, entry in CATALOGUE.items()})
