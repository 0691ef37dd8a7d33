"""The history of a record, in a drawer beside the table: what happened to it, what it was on a day.

The address of the page names the record, so that its history can be sent to somebody.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.catalogue.fields import Date, Field, Moment, Phone, Time, phones
from sync_core.catalogue.resource import Entity, Resource
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.records import history
from sync_core.records.history import Cell, Entry, Happening, Record, Snapshot, in_words
from sync_core.runs import Run, run_address
from sync_core.ui.frame import error_box
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import drawer
from sync_core.ui.parts.html import render
from sync_core.ui.parts.record_link import KEY, RECORD
from sync_core.ui.parts.words import calendar_day, day, listed, literal, moment
from sync_core.ui.resources.row_cells import YES_NO
from sync_core.ui.runs import downloads, proof_link

MAX_ENTRIES = 30  # on one page of the drawer
LOOKS = {  # icon and CSS class
    Happening.CREATED: ("add_circle", "created"),
    Happening.UPDATED: ("edit", "updated"),
    Happening.REMOVED: ("do_not_disturb_on", "removed"),
    Happening.CAME_BACK: ("undo", "created"),
    Happening.CHANGED_OUTSIDE: ("warning", "outside"),
    Happening.ADDED_OUTSIDE: ("warning", "outside"),
    Happening.REMOVED_OUTSIDE: ("warning", "outside"),
}
ALONE = {Happening.CREATED, Happening.REMOVED}  # a value, without one before or after


@dataclass(frozen=True)
class ShownCell:
    """A field before and after, as it is read."""

    label: str
    before: str
    before_kind: str  # its CSS class
    after: str
    after_kind: str


@dataclass(frozen=True)
class ShownEntry:
    """Something that happened to the record, as it is read."""

    sentence: str
    icon: str
    kind: str  # its CSS class
    when: str
    who: str
    run: str
    address: str
    row: str
    proof: str  # the address of its file; blank where there is none
    both: bool
    cells: Sequence[ShownCell]


def open_by_address(here: Visitor, resource: Resource) -> None:
    """Open the record that the address names, where it names one of this resource."""
    names = [entity.name for entity in resource.entities]
    name, key = st.query_params.get(RECORD, ""), st.query_params.get_all(KEY)
    if name not in names or not key:
        return
    entity = resources.entity(resource, name)
    try:
        with db.within(here.organization.id) as connection:
            record = history.read(connection, here.organization.id, entity, key, here.person)
    except SyncError as error:
        _open(here, " · ".join(key) or entity.title, partial(error_box.show_sentence, error))
        return
    _open(here, record.name, partial(_draw, here, record))


def choose(entity: Entity, key: Sequence[str]) -> None:
    """Open a record: the address names it from now on."""
    # at once: each change by itself is a step of the browser's Back
    st.query_params.update({RECORD: entity.name, KEY: list(key)})


def _open(here: Visitor, title: str, content: Callable[[], None]) -> None:
    drawer.show(here, title, ":material/manage_history:", content, (RECORD, KEY))


def _draw(here: Visitor, record: Record) -> None:
    """Show a record: what it is, then its history, or what it was at the end of a day."""
    title = literal(f"{record.entity.title} · {record.title}")
    gone = "" if record.is_there else " :gray-badge[:material/do_not_disturb_on: Gone]"
    st.markdown(f":gray[{title}]{gone}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.date_input(
            "As it was on",
            value=None,
            max_value=datetime.now(here.zone).date(),
            format="YYYY-MM-DD",
            key=f"as-of-{record.entity.name}",
            width=190,
        )
        at = history.end_of(chosen, here.zone) if chosen else None
        if here.person.may("export"):
            slug = here.organization.slug
            address = addresses.of_record(record.entity.name, record.key, slug, at)
            downloads.offer("Download CSV", address)
    if at:
        _show_snapshot(record.as_of(at), here.zone, record.hidden)
    else:
        _show_entries(here, record)
    if record.hidden:
        labels = [f.label for f in record.entity.fields if f.column in record.hidden]
        st.caption(f":material/visibility_off: Hidden from your role: {literal(listed(labels))}.")
    if record.dropped_before:
        before = day(record.dropped_before, here.zone)
        st.caption(f":material/auto_delete: Values before {before} were deleted.")


def _show_entries(here: Visitor, record: Record) -> None:
    pages = -(-len(record.entries) // MAX_ENTRIES)
    page = st.pagination(pages, key="page-of-record") if pages > 1 else 1
    some = record.entries[(page - 1) * MAX_ENTRIES : page * MAX_ENTRIES]
    entries = [_entry(here, record, entry) for entry in some]
    st.html(render("record_history", entries=entries))
    if any(entry.proof for entry in entries):
        proof_link.explain()
        downloads.offer("Download verify_proof.py", addresses.PROOF_SCRIPT)


def _entry(here: Visitor, record: Record, entry: Entry) -> ShownEntry:
    icon, kind = LOOKS[entry.what]
    run, both = entry.run, entry.what not in ALONE
    return ShownEntry(
        sentence=entry.sentence,
        icon=icon,
        kind=kind,
        when=moment(entry.at, here.zone) if entry.at else "",
        who=_who(run) if run else "",
        run=f"Run {run.id}" if run else "",
        address=run_address.path(here.organization.slug, run.id) if run else "",
        row=f"row {entry.row_number:,} of the source" if entry.row_number else "",
        proof=_proof(here, record, entry),
        both=both,
        cells=list(_cells(entry, here.zone, record.hidden)),
    )


def _proof(here: Visitor, record: Record, entry: Entry) -> str:
    if entry.run is None:
        return ""
    asked = record.entity.name, entry.row_number, record.key
    return proof_link.address(here, entry.run, *asked) or ""


def _who(run: Run) -> str:
    return f"{run.requested_by}, {run.requested_team}" if run.requested_team else run.requested_by


def _cells(entry: Entry, zone: ZoneInfo, hidden: Collection[str]) -> Iterator[ShownCell]:
    """Return the fields of an entry; of a whole record only those that hold something."""
    for cell in (one for one in entry.cells if one.field.column not in hidden):
        value = cell.before if entry.what == Happening.REMOVED else cell.after
        if entry.what not in ALONE:
            yield _shown(cell, cell.before, cell.after, zone)
        elif value is not None:
            yield _shown(cell, None, value, zone)


def _shown(cell: Cell, before: history.Value, after: history.Value, zone: ZoneInfo) -> ShownCell:
    (was, was_kind), (became, kind) = (_value(cell, one, zone) for one in (before, after))
    return ShownCell(cell.field.label, was, was_kind, became, kind)


def _value(cell: Cell, value: history.Value, zone: ZoneInfo) -> tuple[str, str]:
    """Return a value in words, and its CSS class: one that is blank, or not known, is faint."""
    if value is None or value is history.NOT_KNOWN:
        return in_words(value) or "blank", "faint"
    return _told(cell.field, value, zone), ""


def _told(field: Field, value: history.Value, zone: ZoneInfo) -> str:
    """Return a value as the table of the records shows it."""
    if isinstance(value, bool):
        return YES_NO[value]
    with suppress(ValueError, TypeError):  # it is masked, or from a time when the field was another
        match field:
            case Moment():
                return moment(datetime.fromisoformat(value), zone)
            case Date():
                return calendar_day(date.fromisoformat(value))
            case Time():
                return f"{time.fromisoformat(value):%H:%M}"
            case Phone():
                return phones.for_people(value)
    return in_words(value)


def _show_snapshot(snapshot: Snapshot, zone: ZoneInfo, hidden: Collection[str]) -> None:
    """Show what a record was."""
    on = day(snapshot.at, zone)
    if snapshot.is_there is False:
        st.info(f"It did not exist on {on}.", icon=":material/event_busy:")
        return
    if snapshot.is_there is None:
        st.info(f"Whether it existed on {on} is not known.", icon=":material/help:")
    seen = [cell for cell in snapshot.cells if cell.field.column not in hidden]
    shown = [_shown(cell, None, cell.after, zone) for cell in seen]
    was = ShownEntry(
        f"On {on}", "event", "updated", "", "", "", "", "", "", both=False, cells=shown
    )
    st.html(render("record_history", entries=[was]))
