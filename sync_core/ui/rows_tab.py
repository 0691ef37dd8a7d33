"""The synced rows of an entity: a searchable table, a screenful at a time."""

from collections.abc import Mapping

import pandas as pd
import sqlalchemy as sa
import streamlit as st

from sync_core import db, rows
from sync_core.fields import Field
from sync_core.resource import Entity
from sync_core.rows import View
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import count

SCREEN = 50  # rows
ROW_HEIGHT = 34  # pixels


def show(visitor: Visitor, entity: Entity) -> None:
    """Show the rows with search, order and pages."""
    search, order, descending = _toolbar(entity)
    organization = visitor.organization.id
    with db.begin() as connection:
        total = rows.count(connection, organization, entity, search)
    if not total:
        _say_nothing(entity, search)
        return
    table = st.container()
    page = _pages(entity, total)
    view = View(search, order, descending, SCREEN, (page - 1) * SCREEN)
    with db.begin() as connection:
        found = rows.read(connection, organization, entity, view)
    frame = pd.DataFrame(found, columns=[field.label for field in entity.fields])
    table.dataframe(
        frame,
        hide_index=True,
        height=ROW_HEIGHT * (len(found) + 1) + 3,
        row_height=ROW_HEIGHT,
        column_config=_columns(entity),
        key=f"table-{entity.name}",
        alt=f"{entity.title} of {visitor.organization.name}",
    )


def _toolbar(entity: Entity) -> tuple[str, str | None, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"tools-{entity.name}"):
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
    told.caption(f"{first:,}–{until:,} of {count(total, 'row')}")
    return page


def _say_nothing(entity: Entity, search: str) -> None:
    what = "Nothing matches the search." if search else f"There are no {entity.title.lower()} yet."
    icon = ":material/search_off:" if search else ":material/inbox:"
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(f"{icon} {what}", width="content")
        if not search:
            st.caption("They appear here after the first sync.", width="content")
        st.space("small")


def _columns(entity: Entity) -> dict[str, object]:
    return {field.label: _column(field) for field in entity.fields}


def _column(field: Field) -> object:
    """Show a column by its type in Postgres; the key stays in sight."""
    columns = st.column_config
    match field.sql_type:
        case sa.Boolean():
            return columns.CheckboxColumn(pinned=field.key)
        case sa.Date():
            return columns.DateColumn(format="D MMM YYYY", pinned=field.key)
        case sa.Time():
            return columns.TimeColumn(format="HH:mm", pinned=field.key)
        case sa.Numeric() | sa.BigInteger():
            return columns.NumberColumn(pinned=field.key)
        case _:
            return columns.TextColumn(pinned=field.key)
