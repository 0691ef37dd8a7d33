"""The audit page: every run and every action, newest first, and files of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from sync_core.api import addresses
from sync_core.audit import trail
from sync_core.audit.trail import Entry
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import PauseReason
from sync_core.organizations import actions
from sync_core.organizations.actions import (
    ChangedSetting,
    DroppedValues,
    Exported,
    PausedSchedule,
    Previewed,
    SentTest,
    SetNotifications,
    SetSchedule,
    Started,
    StartedAll,
    Undone,
)
from sync_core.ui.audit import audit_filters, chain_status, found_records
from sync_core.ui.audit.audit_filters import Asked, Askers
from sync_core.ui.frame import visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import (
    LOOKS,
    PAUSED,
    SECOND_FORMAT,
    lasted,
    literal,
    moment,
    origin,
)
from sync_core.ui.runs import downloads, run_in_full
from sync_core.ui.runs.run_in_full import RUN

ACTION_LOOKS = {  # word and colour of an action in the list
    "started": ("Started a sync", "blue"),
    "started all": ("Synced all", "blue"),
    "previewed": ("Previewed a sync", "blue"),
    "cancelled": ("Cancelled a sync", "gray"),
    "retried": ("Synced fixed rows", "blue"),
    "approved": ("Approved a plan", "green"),
    "confirmed": ("Confirmed a plan", "green"),
    "declined": ("Declined a plan", "gray"),
    "asked to undo": ("Asked to undo", "orange"),
    "exported": ("Exported", "violet"),
    "changed a setting": ("Changed a setting", "violet"),
    "dropped old values": ("Dropped old values", "orange"),
    "set a schedule": ("Set a schedule", "violet"),
    "removed a schedule": ("Removed a schedule", "violet"),
    "paused a schedule": ("Paused a schedule", "orange"),
    "resumed a schedule": ("Resumed a schedule", "blue"),
    "signed in": ("Signed in", "gray"),
    "signed out": ("Signed out", "gray"),
}


def show() -> None:
    """Show the audit trail. Raises SyncError: no_permission, unknown_run."""
    here = visitor.enter("audit")
    everywhere = visitor.where(here, "audit")
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title("Audit", icon=":material/fact_check:", anchor=False, width="content")
        st.space("stretch")
        file_slot = st.container(width="content")
    chain_slot = st.container()
    asked = audit_filters.show(here, everywhere)
    with chain_slot:
        chain_status.show(here, [organization for organization, _ in asked.askers.values()])
    with file_slot:
        _offer_file(asked)
    found_records.show(asked)
    chosen = _list(here, asked)
    if chosen is not None:
        _open(here, asked.askers, chosen)
    elif st.query_params.get(RUN, "").isdigit():
        run_in_full.show_by_id(here, int(st.query_params[RUN]))


def _offer_file(asked: Asked) -> None:
    """Offer what the list shows as CSV, where the visitor may export from all of it."""
    if not all(person.may("export") for _, person in asked.askers.values()):
        return
    with st.popover("Download", icon=":material/download:"):
        st.markdown("**Exactly what the filters show**, as CSV. The download itself is recorded.")
        mark = st.checkbox("For Excel (with a byte order mark)", value=True, key="audit-bom")
        bom = {"bom": "1"} if mark else {}
        downloads.offer("Download CSV", addresses.of_trail({**asked.address, **bom}))


def _list(here: Visitor, asked: Asked) -> Entry | None:
    """Show the entries, a screenful at a time; returns the one that is chosen."""
    with db.begin() as connection:
        total = trail.count(connection, asked.wanted)
    if not total:
        paging.show_no_match("Try fewer filters.")
        return None
    table = st.container()
    offset = paging.choose_page("audit", min(total, trail.MOST))
    more = f"There are more than {trail.MOST:,}: filter them, or download them all. "
    st.caption(f"{more if total > trail.MOST else ''}Choose an entry to see it in full.")
    with db.begin() as connection:
        found = trail.read(connection, asked.wanted, paging.PAGE_ROWS, offset)
    with table:
        return _table(here, asked.askers, found)


def _table(here: Visitor, askers: Askers, found: Sequence[Entry]) -> Entry | None:
    columns = st.column_config
    looks = {look.word: look.color for look in LOOKS.values()} | dict(ACTION_LOOKS.values())
    looks |= {_event(entry): "gray" for entry in found if _event(entry) not in looks}
    event = st.dataframe(
        pd.DataFrame([_row(here, askers, entry) for entry in found]),
        hide_index=True,
        height=paging.height(min(len(found), 14)),
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        key="audit-list",
        column_config={
            "When": columns.DatetimeColumn(format=SECOND_FORMAT),
            "Event": columns.MultiselectColumn(options=list(looks), color=list(looks.values())),
            "Person": columns.TextColumn(width=110),
            "Details": columns.TextColumn(width="large"),
        },
        placeholder="",
        alt="Runs and actions, newest first",
    )
    picked = event.selection.rows
    return found[picked[0]] if picked and picked[0] < len(found) else None


def _row(here: Visitor, askers: Askers, entry: Entry) -> dict[str, object]:
    names = {organization.id: organization.name for organization, _ in askers.values()}
    where = {"Organization": names[entry.organization_id]} if len(names) > 1 else {}
    resource = resources.CATALOGUE.get(entry.resource or "")
    return {
        "When": entry.at.astimezone(here.zone),
        "Event": [_event(entry)],
        "Person": entry.name,
        **where,
        "Resource": resource.title if resource else entry.resource,
        "Details": details(entry),
        "Team": entry.team,
        "Took": lasted(entry.seconds) if entry.seconds is not None else None,
        "Started from": origin(entry.origin) if entry.origin else None,
        "Run": entry.run_id,
    }


def _event(entry: Entry) -> str:
    if entry.entry == "run":
        return LOOKS[entry.what].word
    return ACTION_LOOKS[entry.what][0] if entry.what in ACTION_LOOKS else entry.what.capitalize()


def details(entry: Entry) -> str:
    """Return in a line what a run says, or what somebody did."""
    if entry.entry == "run":
        return entry.message
    return _done(entry)


def _done(entry: Entry) -> str:
    """Return in a line what somebody did."""
    match entry.detail:
        case Exported(what=what, rows=rows, complete=complete):
            return f"{what.capitalize()}, {count(rows, 'row') if complete else 'broke off'}"
        case (
            ChangedSetting(what=what)
            | SetSchedule(what=what)
            | SetNotifications(what=what)
            | SentTest(what=what)
        ):
            return what
        case StartedAll(resources=names):
            return ", ".join(names)
        case Started(files=files) | Previewed(files=files) if files:
            return f"Run {entry.run_id}, from {', '.join(file.name for file in files)}"
        case Undone(run=run):
            return f"Run {entry.run_id} takes back run {run}"
        case PausedSchedule(why=why):
            return PAUSED[PauseReason(why)]
        case DroppedValues(before=before, outcomes=outcomes):
            return f"{outcomes:,} outcomes, before {before.isoformat()}"
        case _:
            return f"Run {entry.run_id}" if entry.run_id else ""


def _open(here: Visitor, askers: Askers, entry: Entry) -> None:
    """Show all that is known of the entry."""
    there = _visitor_at(here, askers, entry.organization_id)
    if entry.entry == "action":
        _action(there, entry)
    if entry.run_id is not None:
        run_in_full.show_by_id(there, entry.run_id)


def _visitor_at(here: Visitor, askers: Askers, organization_id: int) -> Visitor:
    """Return the visitor as they are known in the organization of an entry."""
    for organization, person in askers.values():
        if organization.id == organization_id:
            return replace(here, organization=organization, person=person)
    return here


def _action(here: Visitor, entry: Entry) -> None:
    with st.container(border=True, key="action-in-full"):
        st.markdown(f"**{literal(_event(entry))}**")
        team = f" from {literal(entry.team)}" if entry.team else ""
        who = f"{literal(entry.name)}{team} ({literal(entry.email)})"
        st.caption(f"{moment(entry.at, here.zone)} · {who} · action {entry.id}")
        if facts := actions.facts(entry.detail) if entry.detail else {}:
            named = {literal(name): literal(text) for name, text in _named(facts)}
            st.table(named, border="horizontal")


FACT_NAMES = {  # of the facts of a manifest
    "what": "What",
    "file": "File",
    "files": "Uploaded files",
    "filters": "Filters",
    "organizations": "Organizations",
    "rows": "Rows",
    "bytes": "Bytes",
    "sha256": "SHA-256",
    "complete": "Complete",
    "masked": "Masked for the role",
    "seconds": "Seconds",
    "head": "Last link of the chain",
    "run": "Run",
    "batch": "Number",
    "resources": "Resources",
    "tick": "Scheduled for",
    "late": "Late",
    "cron": "Cron expression",
    "why": "Reason",
    "error": "Error code",
    "before": "Before",
    "outcomes": "Outcomes",
}


def _named(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    order = {name: index for index, name in enumerate(FACT_NAMES)}
    names = sorted(facts, key=lambda name: order.get(name, len(order)))
    return [(FACT_NAMES.get(name, name.capitalize()), _fact(facts[name])) for name in names]


def _fact(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case dict():
            parts = (f"{name}: {_fact(part)}" for name, part in value.items())
            return "; ".join(parts) or "none"
        case list():
            return ", ".join(map(_fact, value))
        case _:
            return str(value)
