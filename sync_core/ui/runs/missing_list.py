"""The records that are missing from the source and stay, and what approving does about them."""

import json
from collections.abc import Sequence

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import GuardKind
from sync_core.records import missing, planned
from sync_core.records.missing import Missing
from sync_core.runs import Run
from sync_core.runs.plans import Tripped
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import record_link, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import downloads

FIRST = 10  # that are seen at once
MOST = 1_000  # that are listed
KEPT = (
    "Records that are missing from the source stay in the table. Approving removes none of them:"
    " it applies the other changes, where there are any, and accepts that these are missing, so"
    " that the next sync does not wait for them again."
)


def show(here: Visitor, run: Run, tripped: Sequence[Tripped], planned_removals: int) -> None:
    """List the missing records of each table that a guard names and that keeps them."""
    if planned_removals:  # which are listed with all that is planned
        return
    lost = [one for one in tripped if one.guard in {GuardKind.REMOVALS, GuardKind.EMPTY_SOURCE}]
    if not lost:
        return
    st.markdown(KEPT)
    for name in dict.fromkeys(one.entity for one in lost):
        entity = resources.ENTITIES[name]
        if found := _read(here, run, entity):
            _list(here, run, entity, found)


def _read(here: Visitor, run: Run, entity: Entity) -> Sequence[Missing]:
    with db.within(run.organization_id) as connection:
        if not planned.hold(connection, run):
            return []
        return missing.of_run(connection, run, entity, here.person, MOST + 1)


def _list(here: Visitor, run: Run, entity: Entity, found: Sequence[Missing]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        title = f"**{literal(entity.title)} that are missing from the source**"
        st.markdown(title, width="content")
        st.space("stretch")
        if here.person.may("export"):
            address = addresses.of_missing(run.id, here.organization.slug, entity.name)
            downloads.offer("Download missing records", address)
    opened = _table(run, entity, found[:FIRST], "first")
    rest = found[FIRST:MOST]
    if rest:
        more = " The list ends here." if len(found) > MOST else ""
        with st.expander(f"Show {count(len(rest), 'more record')}.{more}"):
            opened = _table(run, entity, rest, "rest") or opened
    if opened:
        _open(here, entity, json.loads(opened))


def _open(here: Visitor, entity: Entity, key: Sequence[str]) -> None:
    """Go to the history of a record."""
    there = {ORGANIZATION: here.organization.slug, **record_link.address(entity, key)}
    st.switch_page(page_file(resources.of_entity(entity).name), query_params=there)


def _table(run: Run, entity: Entity, found: Sequence[Missing], which: str) -> str | None:
    """Show some of the records; returns the key of the one that is opened, as JSON."""
    columns = [Column(key.label, "first") for key in entity.keys]
    columns += [Column(entity.named_by, "wide")] if entity.named_by else []
    rows = [
        Row(json.dumps(one.key), [Cell(text) for text in (*one.key, one.name)[: len(columns)]])
        for one in found
    ]
    key = f"missing-{which}-{entity.name}-{run.id}"
    return row_table.show(Table(columns, rows, cards=True), key=key, alt="Records that are missing")
