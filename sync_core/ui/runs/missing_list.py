"""The records that are missing from the source, and what a plan does about them."""

import json
from collections.abc import Mapping, Sequence

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import GuardKind, OutcomeKind, Removal
from sync_core.records import missing, planned
from sync_core.records.missing import Missing
from sync_core.runs import Run, Tallies
from sync_core.runs.figures import Figures
from sync_core.runs.plans import Tripped
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import record_link, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import downloads, outcome_words

FIRST = 10  # that are seen at once
MOST = 1_000  # that are listed
OF_MISSING = {GuardKind.REMOVALS, GuardKind.EMPTY_SOURCE}  # guards that look at them
KEPT = (
    "Approving removes none of them: it applies the other changes, where there are any, and accepts"
    " that these are missing, so that the next sync does not wait for them again."
)
STAY = {Removal.KEEP: "in the table, as the rule of this resource says."}
STAY_THIS_TIME = (
    "in the table this time: where the key of a row cannot be read, nothing is removed."
)
BECOME = {Removal.DEACTIVATE: "would be deactivated", Removal.DELETE: "would be deleted"}


def show(
    here: Visitor,
    run: Run,
    tripped: Sequence[Tripped],
    tallies: Tallies,
    figures: Mapping[str, Figures],
) -> bool:
    """Tell of the missing records of each table, and list those that stay.

    Those that would be removed are listed with all that is planned. Returns whether there are any.
    """
    lost = {name: found for name, found in figures.items() if found.absent}
    removed = {name: tallies.get(name, {}).get(OutcomeKind.REMOVED, 0) for name in lost}
    guarded = {one.entity for one in tripped if one.guard in OF_MISSING}
    for name, found in lost.items():
        entity = resources.ENTITIES[name]
        st.markdown(_told(run, entity, found, removed=bool(removed[name])))
        if name in guarded and not removed[name]:
            st.markdown(KEPT)
        if not removed[name] and (listed := _read(here, run, entity)):
            _list(here, run, entity, listed)
    return bool(lost)


def _told(run: Run, entity: Entity, found: Figures, *, removed: bool) -> str:
    """Say in Markdown how many records are missing, and what happens to them."""
    rule = Removal(found.removal or entity.removal)
    they, are, stay = ("They", "are", "stay") if found.absent > 1 else ("It", "is", "stays")
    lost = f"**{literal(entity.counted(found.absent, 'known'))} {are} not in the source any more.**"
    if removed:
        word = outcome_words.look(run, OutcomeKind.REMOVED).word
        return f"{lost} {they} {BECOME.get(rule, 'would be removed')}: see *{word}* below."
    return f"{lost} {they} {stay} {STAY.get(rule, STAY_THIS_TIME)}"


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
