"""The synced rows of an entity: a searchable table, a screenful at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from sync_core.analytics import analyses
from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity, Resource
from sync_core.foundation import db
from sync_core.foundation.db import Connection
from sync_core.records import names, privacy, rows
from sync_core.records.privacy import Place
from sync_core.records.rows import EVERYTHING, View
from sync_core.ui.frame import saved_views
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table, source_line, totals
from sync_core.ui.parts.row_table import Column, Order, Row, Table
from sync_core.ui.parts.totals import Version
from sync_core.ui.parts.words import listed, literal
from sync_core.ui.resources import record_drawer, row_cells, row_filter
from sync_core.ui.resources.resource_figures import GROUP
from sync_core.ui.resources.row_cells import Reading
from sync_core.ui.runs import downloads, first_sync


def show(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show the rows of a table of the resource, with search, order and pages."""
    since = totals.version(state.runs.get(resource.name))
    entity = choose(resource, "rows")
    total = totals.total(here.organization.id, entity, since)
    if not total:
        what = f"There are no {entity.title.lower()} yet."
        button = first_sync.of(here, resource, state)
        paging.show_empty(":material/inbox:", what, first_sync.means(here, resource), button)
        return
    group = _group(here, resource, entity)
    fields, view = _toolbar(here, entity, since, total, group)
    within = analyses.group(resource, group, here.person) if group else None
    asked = None if view == EVERYTHING and not group else (view, group)
    view = replace(view, within=within.keys(here.organization.id) if within else None)
    if view.search.strip() or view.only or within:
        with db.within(here.organization.id) as connection:
            total = rows.count(connection, here.organization.id, entity, view, here.person)
    if not total:
        more = "Every word must occur somewhere in a row, and every filter must hold."
        what = "Nothing matches the search." if view.search.strip() else "Nothing matches."
        paging.show_no_match(entity.name, partial(_clear, entity), more, what=what)
        return
    table = st.container()
    offset = paging.choose_page(entity.name, total, asked=asked)
    with table:
        _table(here, entity, fields, replace(view, limit=paging.PAGE_ROWS, offset=offset))
    if unseen := privacy.hidden(entity, Place.PAGE, here.person):
        told = literal(listed([field.label for field in unseen]))
        st.caption(f":material/visibility_off: Hidden from your role: {told}.")


def _group(here: Visitor, resource: Resource, entity: Entity) -> str:
    """Return the group of records that the address names, and offer to leave it."""
    name = str(st.query_params.get(GROUP, ""))
    if entity != resource.main or not analyses.group(resource, name, here.person):
        return ""
    st.query_params[GROUP] = name  # a link within the page tells the page, and not the browser
    st.button(
        f"Only {name} {entity.title.lower()}",
        icon=":material/close:",
        key="leave-group",
        help=f"Show all {entity.title.lower()} again.",
        on_click=_leave_group,
    )
    return name


def _leave_group() -> None:
    st.query_params.pop(GROUP, None)


def _clear(entity: Entity) -> None:
    """Ask for all rows again."""
    paging.blank([f"search-{entity.name}", *row_filter.names(entity)])
    _leave_group()


def _offer_file(here: Visitor, entity: Entity, view: View, group: str) -> None:
    """Offer what is listed as a file, all pages of it, to those who may export."""
    if here.person.may("export"):
        sort = f"{'-' * view.descending}{view.order or ''}"
        slug, what = here.organization.slug, (view.search, view.only, sort, group)
        downloads.offer("Download CSV", addresses.of_records(entity.name, slug, *what))


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
            bind="query-params",
            label_visibility="collapsed",
        )
    return resources.entity(resource, chosen)


def _table(here: Visitor, entity: Entity, fields: Sequence[Field], view: View) -> None:
    with db.within(here.organization.id) as connection:
        found = rows.read(connection, here.organization.id, entity, view, here.person)
        labels = [field.label for field in entity.fields]
        records = [dict(zip(labels, row, strict=True)) for row in found]
        reading = _reading(here, connection, entity, fields, records)
    unseen = privacy.hidden(entity, Place.PAGE, here.person)
    opens = privacy.may_be_keyed(entity, unseen)
    sorts = _sortable(here, entity)
    opened = row_table.show(
        Table(
            [Column(f.label, row_cells.kind(f), f.column * (f.column in sorts)) for f in fields],
            [
                Row(str(place) if opens else "", [row_cells.cell(f, row, reading) for f in fields])
                for place, row in enumerate(records)
            ],
            Order(view.order, view.descending),
        ),
        key=f"table-{entity.name}",
        alt=f"{entity.title} of {here.organization.name}",
    )
    if opened is not None and int(opened) < len(records):
        record_drawer.choose(entity, [str(records[int(opened)][f.label]) for f in entity.keys])


def _reading(
    here: Visitor,
    connection: Connection,
    entity: Entity,
    fields: Sequence[Field],
    records: Sequence[Mapping[str, Any]],
) -> Reading:
    """Return what the rows are read with: the names of their codes among it."""
    told = {
        field.label: names.of_codes(
            connection,
            here.organization.id,
            field,
            {row[field.label] for row in records if row[field.label] is not None},
            here.person,
        )
        for field in fields
        if field.named_in
    }
    sources = source_line.settings_of(here.organization, resources.of_entity(entity).name)
    locale = next((one.locale for one in sources if one.entity == entity.name), None)
    currency = row_cells.usual_currency(here.organization.country, locale)
    return Reading(told, here.zone, currency)


def _sortable(here: Visitor, entity: Entity) -> list[str]:
    unseen = privacy.hidden(entity, Place.SORT, here.person)
    return [field.column for field in entity.fields if field not in unseen]


def _toolbar(
    here: Visitor, entity: Entity, since: Version, total: int, group: str
) -> tuple[Sequence[Field], View]:
    """Show what rows and columns can be chosen by; returns what is chosen."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"tools-{entity.name}"):
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder=f"Search {entity.title.lower()}",
            icon=":material/search:",
            key=f"search-{entity.name}",
            bind="query-params",
            label_visibility="collapsed",
            width=320,
        )
        only = row_filter.show(here, entity, since, total)
        st.space("stretch")
        fields = _columns(here, entity)
        order = row_table.order(_sortable(here, entity))
        view = View(search or "", only, order.column, order.descending)
        saved_views.offer(here, resources.of_entity(entity).name)
        _offer_file(here, entity, view, group)
    return fields, view


def _columns(here: Visitor, entity: Entity) -> Sequence[Field]:
    """Show which columns there are to choose; returns those that are seen, the keys always.

    Those that the visitor may not see are left out.
    """
    unseen = privacy.hidden(entity, Place.PAGE, here.person)
    offered = {f.column: f for f in entity.fields if f not in unseen and not f.key}
    with st.popover("Columns", icon=":material/view_column:", key=f"choose-{entity.name}"):
        chosen = st.pills(
            "Columns",
            list(offered),
            selection_mode="multi",
            default=[f.column for f in entity.leading if f.column in offered],
            format_func=lambda column: offered[column].label,
            key=f"columns-{entity.name}",
            bind="query-params",
        )
    keys = [field for field in entity.keys if field not in unseen]
    return [*keys, *(field for column, field in offered.items() if column in chosen)]
