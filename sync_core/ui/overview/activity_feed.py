"""The activity feed: "Sarah Lim (Operations) synced therapists · 28 Nov 2026, 12:43"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import streamlit as st

from sync_core import runs
from sync_core.audit import trail
from sync_core.audit.trail import Entry
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunKind
from sync_core.organizations.actions import ChangedPeople, ChangedSetting
from sync_core.runs import MADE_UP, Run, run_address
from sync_core.runs.filters import Filter
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import MADE_UP_NOTE, listed, literal, look, moment

MAX_LINES = 10
MAX_EVENTS = 50  # that are read, of each kind: what happened again and again is one line
VERBS = {  # by the status of the run
    "queued": "is about to sync",
    "running": "is syncing",
    "interrupted": "is syncing",
    "waiting": "asked to sync",
    "completed": "synced",
    "partial": "synced",
    "failed": "tried to sync",
    "timed_out": "tried to sync",
    "cancelled": "started to sync",
    "expired": "asked to sync",
}
UNDOS = {  # by the status of a run that takes another one back
    "queued": "is about to undo",
    "running": "is undoing",
    "interrupted": "is undoing",
    "waiting": "asked to undo",
    "completed": "undid",
    "partial": "undid",
    "failed": "tried to undo",
    "timed_out": "tried to undo",
    "cancelled": "asked to undo",
    "expired": "asked to undo",
}
PREVIEWS = {  # by the status of a run that stops after its plan
    "queued": "is about to preview",
    "running": "is previewing",
    "interrupted": "is previewing",
    "waiting": "previewed",
    "failed": "tried to preview",
    "timed_out": "tried to preview",
    "cancelled": "previewed",
    "expired": "previewed",
}
RETRIES = {  # by the status of a run that tries the failed rows of another one again
    "queued": "is about to sync the fixed rows of",
    "running": "is syncing the fixed rows of",
    "interrupted": "is syncing the fixed rows of",
    "waiting": "asked to sync the fixed rows of",
    "completed": "synced the fixed rows of",
    "partial": "synced the fixed rows of",
    "failed": "tried to sync the fixed rows of",
    "timed_out": "tried to sync the fixed rows of",
    "cancelled": "started to sync the fixed rows of",
    "expired": "asked to sync the fixed rows of",
}
BY_KIND = {
    RunKind.SYNC: VERBS,
    RunKind.PREVIEW: VERBS | PREVIEWS,
    RunKind.UNDO: UNDOS,
    RunKind.RETRY: RETRIES,
}
ENDINGS = {  # by the status of the run
    "partial": ", but only in part",
    "failed": ", and it failed",
    "timed_out": ", and it took too long",
    "cancelled": ", and it was cancelled",
    "expired": ", and nobody decided",
    "waiting": ", and it waits for a decision",
}
DECLINED = ", and the plan was declined"
TRIED_TO_UNDO, UNDID_NOTHING = "tried to undo", ", and nothing was undone"


@dataclass(frozen=True)
class Item:
    """One thing that somebody did."""

    at: datetime
    icon: str
    text: str  # Markdown, without the time
    run_id: int | None = None  # to whose page it leads
    times: int = 1  # in a row
    made_up: bool = False  # for the demo


def show(here: Visitor) -> None:
    """Show the latest things, newest first."""
    with st.container(border=True, gap="small", key="activity-feed"):
        st.markdown("**Activity**")
        items = _items(here.organization.id)
        if not items:
            st.caption("Nothing has happened yet. Who syncs what, and when, is listed here.")
        if any(item.made_up for item in items):
            st.caption(f"{MADE_UP_NOTE}.")
        for item in items:
            at = moment(item.at, here.zone).replace(" ", "\N{NO-BREAK SPACE}")  # on one line
            often = f" :gray-badge[{item.times} times]" if item.times > 1 else ""
            _show(here, item, f"{item.icon} {item.text} :gray[· {at}]{often}")


def _show(here: Visitor, item: Item, line: str) -> None:
    """Show a line; that of a run leads to its page."""
    if item.run_id is None:
        st.markdown(f":small[{line}]")
        return
    st.page_link(
        page_file(run_address.PAGE),
        label=f":small[{line}]",
        width="stretch",
        query_params=run_address.parameters(here.organization.slug, item.run_id),
    )


def _items(organization_id: int) -> list[Item]:
    kinds = (ChangedSetting.kind, ChangedPeople.kind)
    changed = Filter(organizations=(organization_id,), action=kinds)
    with db.within(organization_id) as connection:
        latest = runs.history(connection, organization_id, limit=MAX_EVENTS)
        changes = trail.read(connection, changed, MAX_EVENTS)
    items = [*map(_of_run, latest), *map(_of_change, changes)]
    items.sort(key=lambda item: item.at, reverse=True)
    return list(_merged(items))[:MAX_LINES]


def _merged(items: Sequence[Item]) -> Iterator[Item]:
    """Merge what somebody did several times in a row, with the time of the latest."""
    for _, same in groupby(items, key=lambda item: (item.icon, item.text)):
        latest, *earlier = same
        yield replace(latest, times=1 + len(earlier))


def _of_run(run: Run) -> Item:
    run_look = look(run)
    who = _who(run.requested_by, run.requested_team)
    verb = TRIED_TO_UNDO if run.nothing_undone else BY_KIND[run.kind][run.status]
    what = _what(run.resource)
    what = f"run {run.undoes} of {what}" if run.undoes else what
    ending = DECLINED if run.declined else ENDINGS.get(run.status, "")
    ending = UNDID_NOTHING if run.nothing_undone else ending
    text = f"{who} {verb} {what}{ending}"
    made_up = run.trigger == MADE_UP
    text += f" :gray[({MADE_UP})]" if made_up else ""
    icon = f":{run_look.color}[{run_look.icon}]"
    return Item(run.queued_at, icon, text, run.id, made_up=made_up)


def _of_change(entry: Entry) -> Item:
    who = _who(entry.name, entry.team)
    if isinstance(entry.detail, ChangedPeople):
        return Item(entry.at, ":gray[:material/group:]", f"{who} {literal(entry.detail.what)}")
    what = entry.detail.what if isinstance(entry.detail, ChangedSetting) else "a setting"
    return Item(entry.at, ":gray[:material/tune:]", f"{who} changed {literal(what)}")


def _who(name: str, team: str) -> str:
    return f"**{literal(name)}**" + (f" ({literal(team)})" if team else "")


def _what(resource: str) -> str:
    entities = resources.CATALOGUE[resource].entities
    return listed([entity.title.lower() for entity in entities])
