"""The synced rows of an entity: a searchable table, a screenful at a time."""

from collections.abc import Mapping

import pandas as pd
import sqlalchemy as sa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from sync_core import db, rows
from sync_core.fields import Field
from sync_core.resource import Entity
from sync_core.rows import View
from sync_core.ui import totals
from sync_core.ui.totals import Version
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import count

SCREEN = 50  # rows
ROW_HEIGHT = 34  # pixels


def show(here: Visitor, entity: Entity, since: Version) -> None:
    """Show the rows, with search, order and pages."""
    total = totals.total(here.organization.id, entity, since)
    if not total:
        _say_empty(entity)
        return
    search, order, descending = _toolbar(entity)
    if search.strip():
        with db.begin() as connection:
            total = rows.count(connection, here.organization.id, entity, search)
    if not total:
        _say(":material/search_off:", "Nothing matches the search.", "Every word must occur.")
        return
    table = st.container()
    page = _pages(entity, total)
    _table(table, here, entity, View(search, order, descending, SCREEN, (page - 1) * SCREEN))


def _table(place: DeltaGenerator, here: Visitor, entity: Entity, view: View) -> None:
    with db.begin() as connection:
        found = rows.read(connection, here.organization.id, entity, view)
    place.dataframe(
        pd.DataFrame(found, columns=[field.label for field in entity.fields]),
        hide_index=True,
        height=ROW_HEIGHT * (len(found) + 1) + 3,
        row_height=ROW_HEIGHT,
        column_config={field.label: _column(field) for field in entity.fields},
        key=f"table-{entity.name}",
        alt=f"{entity.title} of {here.organization.name}",
    )


def _toolbar(entity: Entity) -> tuple[str, str | None, bool]:
    with st.container(horizontal=True, vertical_alignment="center", key=f"tools-{entity.name}"):
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder=f"Search {entity.title.lower()}",
            icon=":material/search:",
            key=f"search-{entity.name}",
            label_visibility="collapsed",
            width=320,
        )
        st.space("stretch")
        labels: Mapping[str, str] = {field.column: field.label for field in entity.fields}
        order = st.selectbox(
            "Sort by",
            list(labels),
            format_func=labels.__getitem__,
            key=f"order-{entity.name}",
            label_visibility="collapsed",
            icon=":material/sort:",
            width=200,
        )
        descending = st.segmented_control(
            "Direction",
            [False, True],
            format_func=_arrow,
            default=False,
            required=True,
            key=f"descending-{entity.name}",
            label_visibility="collapsed",
        )
    return search or "", order, bool(descending)


def _arrow(descending: bool) -> str:  # noqa: FBT001 - an option of the control
    return ":material/arrow_downward:" if descending else ":material/arrow_upward:"


def _pages(entity: Entity, total: int) -> int:
    """Show where in the whole the screen is, and let the visitor turn pages; gives the page."""
    last = -(-total // SCREEN)
    with st.container(horizontal=True, vertical_alignment="center"):
        told = st.empty()
        st.space("stretch")
        page = st.pagination(last, key=f"page-{entity.name}") if last > 1 else 1
    first = (page - 1) * SCREEN + 1
    until = min(page * SCREEN, total)
    told.caption(f"{first:,} to {until:,} of {count(total, 'row')}")
    return page


def _say_empty(entity: Entity) -> None:
    what = f"There are no {entity.title.lower()} yet."
    _say(":material/inbox:", what, "They appear here after the first sync.")


def _say(icon: str, what: str, more: str) -> None:
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"{icon} **{what}**", width="content")
        st.caption(more, width="content")
        st.space("small")


def _column(field: Field) -> ColumnConfig:
    """Show a column by its type in Postgres; the key stays in sight."""
    columns = st.column_config
    match field.sql_type:
        case sa.Boolean():
            return columns.CheckboxColumn(pinned=field.key)
        case sa.Date():
            return columns.DateColumn(format="D MMM YYYY", pinned=field.key)
        case sa.Time():
            return columns.TimeColumn(format="HH:mm", pinned=field.key)
        case sa.Numeric(scale=int(decimals)):
            return columns.NumberColumn(format=f"%.{decimals}f", pinned=field.key)
        case sa.Numeric() | sa.BigInteger():
            return columns.NumberColumn(format="plain", pinned=field.key)
        case _:
            return columns.TextColumn(pinned=field.key)
