"""The audit page: every run and every action, newest first, and files of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.api import addresses
from sync_core.audit import in_words, trail
from sync_core.audit.trail import Entry
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.organizations.actions import Retried, Undone
from sync_core.runs import run_address, run_number
from sync_core.ui.audit import audit_filters, chain_status, found_records
from sync_core.ui.audit.audit_filters import Asked, Askers
from sync_core.ui.frame import saved_views, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import drawer, page_head, paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import (
    UNDONE_NOTHING,
    icon_name,
    lasted,
    literal,
    look_of,
    moment,
    second,
    under_a_name,
    undone,
)
from sync_core.ui.runs import downloads, history_tab

RUN, ACTION = "run", "action-id"  # in the address: what is opened


def show() -> None:
    """Show the audit trail. Raises SyncError: no_permission, unknown_run."""
    here = visitor.enter("audit")
    everywhere = visitor.where("audit")
    with page_head.show("Audit", ":material/fact_check:"):
        st.space("stretch")
        file_slot = st.container(width="content")
    chain_slot = st.container()
    asked = audit_filters.show(here, everywhere)
    with chain_slot:
        chain_status.show(here, asked.askers)
    with file_slot, st.container(horizontal=True, width="content"):
        saved_views.offer(here, "audit")
        _offer_file(asked)
    has_records = found_records.show(asked)
    _list(here, asked, has_records=has_records)
    if number := run_number.read(st.query_params.get(RUN, "")):  # an address as it was once sent
        history_tab.open_run(here, number)
    if number := run_number.read(st.query_params.get(ACTION, "")):
        _open_action(here, asked, number)


def _offer_file(asked: Asked) -> None:
    """Offer what the list shows as CSV, where the visitor may export from all of it."""
    if not all(person.may("export") for _, person in asked.askers.values()):
        return
    with st.popover("Download", icon=":material/download:"):
        st.markdown("**Exactly what the filters show**, as CSV. The download itself is recorded.")
        mark = st.checkbox("For Excel (with a byte order mark)", value=True, key="audit-bom")
        bom = {"bom": "1"} if mark else {}
        downloads.offer("Download CSV", addresses.of_trail({**asked.address, **bom}))


def _list(here: Visitor, asked: Asked, *, has_records: bool) -> None:
    """Show the entries, a screenful at a time, and open the one that is chosen."""
    with db.within(*asked.wanted.organizations) as connection:
        total = trail.count(connection, asked.wanted)
    if not total:
        _say_no_match(has_records=has_records)
        return
    table = st.container()
    offset = paging.choose_page("audit", min(total, trail.MOST))
    if total > trail.MOST:
        st.caption(f"There are more than {trail.MOST:,}: filter them, or download them all.")
    with db.within(*asked.wanted.organizations) as connection:
        found = trail.read(connection, asked.wanted, paging.PAGE_ROWS, offset)
    with table:
        opened = _table(here, asked.askers, found)
    if opened is not None:
        _open(here, asked.askers, found[opened])


def _say_no_match(*, has_records: bool) -> None:
    """Say that no entry is found; a search may well have found records all the same."""
    what, more = "Nothing matches.", "Try fewer filters."
    if has_records:
        what, more = (
            "No events match.",
            "What happened to a record is in its history, linked above.",
        )
    paging.show_no_match("audit", audit_filters.clear, more, what=what)


def _table(here: Visitor, askers: Askers, found: Sequence[Entry]) -> int | None:
    """Show a page of entries; returns the place of the one that is opened."""
    columns = [
        Column("When", "brief"),
        Column("Event", "brief"),
        Column("Person"),
        *([Column("Organization")] if len(askers) > 1 else []),
        Column("Resource"),
        Column("Details", "wide first"),
        Column("Took", "brief"),
        Column("Run", "number"),
    ]
    rows = [
        Row(str(place), _cells(here, askers, entry, columns)) for place, entry in enumerate(found)
    ]
    opened = row_table.show(
        Table(columns, rows, cards=True),
        key="audit-list",
        alt="Runs and actions, newest first",
    )
    return int(opened) if opened is not None and int(opened) < len(found) else None


def _cells(here: Visitor, askers: Askers, entry: Entry, columns: Sequence[Column]) -> list[Cell]:
    names = {organization.id: organization.name for organization, _ in askers.values()}
    resource = resources.CATALOGUE.get(entry.resource or "")
    cells = {
        "When": Cell(second(entry.at, here.zone)),
        "Event": _event_cell(entry),
        "Person": Cell(entry.name, under=under_a_name(entry.team, entry.origin)),
        "Organization": Cell(names[entry.organization_id]),
        "Resource": Cell(resource.title if resource else entry.resource or ""),
        "Details": Cell(details(entry, here.zone)),
        "Took": Cell(lasted(entry.seconds) if entry.seconds is not None else ""),
        "Run": Cell(f"{entry.run_id}" if entry.run_id else ""),
    }
    return [cells[column.label] for column in columns]


def _event_cell(entry: Entry) -> Cell:
    if entry.entry == "run":
        look = UNDONE_NOTHING if entry.nothing_undone else look_of(entry.kind, entry.what)
        return Cell(in_words.event(entry), f"badge {look.color}", icon_name(look.icon))
    return Cell(in_words.event(entry), "badge")  # without a colour: it is no status


def details(entry: Entry, zone: ZoneInfo) -> str:
    """Return in a line what a run says, or what somebody did."""
    if entry.entry == "run":
        return f"{entry.message} {_undone(entry)}".strip()
    at = partial(moment, zone=zone)
    return in_words.done(entry.detail, entry.run_id, at, has_ended=entry.has_ended)


def _undone(entry: Entry) -> str:
    """Return which undo took a run back; how the run itself ended, its event says."""
    if entry.undone is None:
        return ""
    return f"{undone(entry.undone).word} by run {entry.undone.by}."


def _open(here: Visitor, askers: Askers, entry: Entry) -> None:
    """Go to the page of a run, or name the action in the address, which opens it."""
    if entry.entry == "run":
        history_tab.open_run(_visitor_at(here, askers, entry.organization_id), entry.id)
    st.query_params[ACTION] = str(entry.id)


def _visitor_at(here: Visitor, askers: Askers, organization_id: int) -> Visitor:
    """Return the visitor as they are known in the organization of an entry."""
    for organization, person in askers.values():
        if organization.id == organization_id:
            return replace(here, organization=organization, person=person)
    return here


def _open_action(here: Visitor, asked: Asked, action_id: int) -> None:
    """Open an action of one of the organizations that are shown, in a drawer beside the list."""
    ids = [organization.id for organization, _ in asked.askers.values()]
    with db.within(*ids) as connection:
        entry = trail.action(connection, ids, action_id)
    if entry is None:
        st.warning("There is no such action here.", icon=":material/search_off:")
        return
    there = _visitor_at(here, asked.askers, entry.organization_id)
    show_it = partial(_action, there, entry)
    drawer.show(here, in_words.event(entry), ":material/fact_check:", show_it, (ACTION,))


def _action(here: Visitor, entry: Entry) -> None:
    """Show all that is known of an action."""
    team = f" from {literal(entry.team)}" if entry.team else ""
    who = f"{literal(entry.name)}{team} ({literal(entry.email)})"
    st.markdown(f":gray[{moment(entry.at, here.zone)} · {who} · action {entry.id}]")
    at = partial(second, zone=here.zone)
    if entry.detail and (facts := in_words.named(entry.detail, at)):
        st.table({literal(name): literal(text) for name, text in facts}, border="horizontal")
    if entry.run_id is not None:
        st.page_link(
            page_file(run_address.PAGE),
            label=_of_run(entry, entry.run_id),
            icon=":material/arrow_forward:",
            query_params=run_address.parameters(here.organization.slug, entry.run_id),
        )


def _of_run(entry: Entry, run_id: int) -> str:
    """Name the run of an action, and what it does to another one, where the action names two."""
    if isinstance(entry.detail, Retried | Undone):
        return in_words.done(entry.detail, run_id, str)
    return f"Run {run_id}"
