"""The filter of an entity's rows: by the columns in which only a few different values stand."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Choice, Currency, Field, Text, YesNo
from sync_core.catalogue.resource import Entity
from sync_core.foundation import db
from sync_core.records import rows
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.totals import Version
from sync_core.ui.resources.row_cells import YES_NO

MAX_OPTIONS = 40  # different values of a column that can be filtered by
MAX_ROWS = 200_000  # up to which it is quick to look which values there are
Only = Mapping[str, Sequence[Any]]


def show(here: Visitor, entity: Entity, since: Version, total: int) -> Only:
    """Show the filter; returns the values that are chosen, by column."""
    offered = _offered(here.organization.id, entity.name, since, total)
    if not offered:
        return {}
    keys = {column: _key(entity, column) for column in offered}
    chosen = sum(bool(st.session_state.get(key)) for key in keys.values())
    label = f"Filter ({chosen})" if chosen else "Filter"
    labels = {field.column: field.label for field in entity.fields}
    with st.popover(label, icon=":material/filter_list:", key=f"filter-{entity.name}"):
        only = {
            column: st.multiselect(
                labels[column],
                values,
                format_func=_word,
                key=keys[column],
                bind="query-params",
                placeholder="All",
            )
            for column, values in offered.items()
        }
    return {column: values for column, values in only.items() if values}


def names(entity: Entity) -> list[str]:
    """Return what the filters may be called in the address."""
    return [_key(entity, field.column) for field in entity.fields]


def _key(entity: Entity, column: str) -> str:
    return f"only-{entity.name}-{column}"


@st.cache_resource(ttl=600, max_entries=500, show_spinner=False)
def _offered(organization_id: int, name: str, since: Version, total: int) -> Only:  # noqa: ARG001 - `since` is a key of the cache
    entity = resources.ENTITIES[name]
    with db.within(organization_id) as connection:
        found = {
            field.column: _values(connection, organization_id, entity, field, total)
            for field in entity.fields
        }
    return {column: values for column, values in found.items() if len(values) > 1}


def _values(
    connection: db.Connection, organization_id: int, entity: Entity, field: Field, total: int
) -> Sequence[Any]:
    match field:
        case YesNo():
            return list(YES_NO)
        case Choice():
            return field.options
        case Text() | Currency() if total <= MAX_ROWS and field not in entity.keys:
            return rows.values(
                connection, organization_id, entity, field.column, min(MAX_OPTIONS, total // 2)
            )
        case _:
            return ()


def _word(value: object) -> str:
    return YES_NO[value] if isinstance(value, bool) else str(value)
