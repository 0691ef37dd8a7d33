"""The synced rows of an entity: a searchable table, a screenful at a time."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Date, Field, Integer, Moment, Money, Number, Time, YesNo
from sync_core.catalogue.fields.amounts import MONEY_DECIMALS
from sync_core.catalogue.resource import Entity, Resource
from sync_core.foundation import db
from sync_core.records import privacy, rows
from sync_core.records.privacy import Place
from sync_core.records.rows import View
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, source_line, totals
from sync_core.ui.parts.totals import Version
from sync_core.ui.parts.words import DAY_FORMAT, MOMENT_FORMAT
from sync_core.ui.resources import record_drawer, row_filter

HIDDEN_NOTE = ":material/visibility_off: Personal data are hidden from your role."
MAX_VISIBLE_ROWS = 20  # without scrolling, so that the pages below stay in reach


def show(here: Visitor, resource: Resource, since: Version) -> None:
    """Show the rows of a table of the resource, with search, order and pages."""
    entity = choose(resource, "rows")
    total = totals.total(here.organization.id, entity, since)
    if not total:
        what = f"There are no {entity.title.lower()} yet."
        paging.show_empty(":material/inbox:", what, _how_to_fill(here, resource))
        return
    view = _toolbar(here, entity, since, total)
    if view.search.strip() or view.only:
        with db.begin() as connection:
            total = rows.count(connection, here.organization.id, entity, view, here.person)
    if not total:
        more = "Every word must occur somewhere in a row, and every filter must hold."
        paging.show_no_match(more, searched=bool(view.search.strip()))
        return
    table = st.container()
    offset = paging.choose_page(entity.name, total)
    with table:
        _table(here, entity, replace(view, limit=paging.PAGE_ROWS, offset=offset))


def _how_to_fill(here: Visitor, resource: Resource) -> str:
    if source_line.settings_of(here.organization, resource.name):
        return "They appear here after a sync."
    if here.person.may("administer"):
        return "First set their source on the page Sources."
    return "They have no source yet. An administrator sets it."


def choose(resource: Resource, key: str) -> Entity:
    """Return the table that the visitor chooses, where the resource has several."""
    titles = {entity.name: entity.title for entity in resource.entities}
    chosen = resource.main.name
    if len(titles) > 1:
        chosen = st.segmented_control(
            "Table",
            list(titles),
            format_func=titles.__getitem__,
            default=chosen,
            required=True,
            key=f"entity-{key}-{resource.name}",
            label_visibility="collapsed",
        )
    return resources.entity(resource, chosen)


def _table(here: Visitor, entity: Entity, view: View) -> None:
    with db.begin() as connection:
        found = rows.read(connection, here.organization.id, entity, view, here.person)
    unseen = privacy.hidden(entity, Place.PAGE, here.person)
    if unseen:
        st.caption(HIDDEN_NOTE)
    can_open = privacy.may_be_keyed(entity, unseen)
    table = f"table-{entity.name}-{record_drawer.closed_before()}"
    st.dataframe(
        pd.DataFrame(
            [list(map(_cell, entity.fields, row)) for row in found],
            columns=[field.label for field in entity.fields],
        ),
        hide_index=True,
        height=paging.height(min(len(found), MAX_VISIBLE_ROWS)),
        row_height=paging.ROW_PIXELS,
        column_config={
            field.label: st.column_config.TextColumn()
            if field in unseen
            else _column(field, str(here.zone))
            for field in entity.fields
        },
        key=table,
        on_select=partial(_open, table, entity, found) if can_open else "ignore",
        selection_mode="single-cell",
        placeholder="",
        alt=f"{entity.title} of {here.organization.name}",
    )
    if can_open:
        st.caption("Choose a row to see everything that ever happened to it.")


def _open(table: str, entity: Entity, found: Sequence[Sequence[Any]]) -> None:
    """Open the record whose row somebody has chosen."""
    cells = st.session_state[table].selection.cells
    if cells and cells[0][0] < len(found):
        values = dict(zip(entity.fields, found[cells[0][0]], strict=True))
        record_drawer.choose(entity, [str(values[field]) for field in entity.keys])


def _toolbar(here: Visitor, entity: Entity, since: Version, total: int) -> View:
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
        only = row_filter.show(here, entity, since, total)
        st.space("stretch")
        unseen = privacy.hidden(entity, Place.SORT, here.person)
        labels = {field.column: field.label for field in entity.fields if field not in unseen}
        order = st.selectbox(
            "Sort by",
            list(labels),
            format_func=labels.__getitem__,
            key=f"order-{entity.name}",
            label_visibility="collapsed",
            icon=":material/sort:",
            width=190,
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
    return View(search or "", only, order, bool(descending))


def _arrow(descending: bool) -> str:  # noqa: FBT001 - an option of the control
    return ":material/arrow_downward:" if descending else ":material/arrow_upward:"


def _cell(field: Field, value: Any) -> object:  # noqa: ANN401 - of any column
    """Return numbers of any precision as they are written; a float would show its rounding."""
    return f"{value:f}" if isinstance(field, Number) and value is not None else value


def _column(field: Field, zone: str) -> ColumnConfig:
    """Return how a column is shown, moments in a zone; the key stays in sight."""
    columns = st.column_config
    match field:
        case YesNo():
            return columns.CheckboxColumn(pinned=field.key)
        case Moment():
            return columns.DatetimeColumn(format=MOMENT_FORMAT, timezone=zone, pinned=field.key)
        case Date():
            return columns.DateColumn(format=DAY_FORMAT, pinned=field.key)
        case Time():
            return columns.TimeColumn(format="HH:mm", pinned=field.key)
        case Money():
            return columns.NumberColumn(format=f"%.{MONEY_DECIMALS}f", pinned=field.key)
        case Integer():
            return columns.NumberColumn(format="%d", pinned=field.key)
        case Number():
            return columns.TextColumn(alignment="right", pinned=field.key)
        case _:
            return columns.TextColumn(pinned=field.key)
