"""The inbox: what waits for the visitor, and what happened to their syncs."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import ago
from sync_core.foundation.vocabulary import RunStatus
from sync_core.notifications import notices, words
from sync_core.notifications.notices import Notice
from sync_core.runs import Run, run_address
from sync_core.ui.frame import browser_news, inbox_count, run_state, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.notice_looks import LOOKS
from sync_core.ui.parts.words import brief, literal
from sync_core.ui.runs import first_sync

MOST = 50


def show() -> None:
    """Show the inbox of the visitor. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    st.title("Inbox")
    with db.within(here.organization.id) as connection:
        found = notices.of_person(connection, here.organization.id, here.person, limit=MOST)
    _show_waiting(here, _waiting(here))
    _show_told(here, found)
    browser_news.ask()
    inbox_count.read_all(here, found)


def _waiting(here: Visitor) -> Sequence[Run]:
    """Find the runs whose plan waits for somebody like the visitor."""
    if not here.person.may("sync"):
        return ()
    latest = run_state.read(here.organization.id).runs.values()
    return [run for run in latest if run.status == RunStatus.WAITING]


def _show_waiting(here: Visitor, waiting: Sequence[Run]) -> None:
    if not waiting:
        return
    with st.container(border=True, gap="xsmall", key="waits"):
        st.markdown(f"**Waits for you** :gray-badge[{len(waiting)}]")
        for run in waiting:
            title = resources.CATALOGUE[run.resource].title
            text = f":orange[:material/front_hand:] **{title}**: {literal(brief(run.message))}"
            _link(here, run.resource, run.id, text)


def _show_told(here: Visitor, found: Sequence[Notice]) -> None:
    if not found:
        more = "What happens to your syncs is listed here."
        begin = partial(first_sync.to_overview, here)
        paging.show_empty(":material/notifications:", "Nothing to read.", more, begin)
        return
    with st.container(border=True, gap="xsmall", key="told"):
        for one in found:
            _show_notice(here, one)


def _show_notice(here: Visitor, one: Notice) -> None:
    icon, color = LOOKS[one.kind]
    new = " :blue-badge[New]" if one.read_at is None else ""
    title = literal(words.title(one.kind, one.resource))
    when = f":small[:gray[{ago(one.at)}]]"
    head = f":{color}[{icon}] **{title}**{new} {when}  \n:small[{literal(brief(one.text))}]"
    if one.resource in resources.CATALOGUE:
        _link(here, one.resource, one.run_id, head)
    else:
        st.markdown(head)


def _link(here: Visitor, resource: str, run_id: int | None, text: str) -> None:
    """Show a text that leads to the run of which it tells, else to its resource."""
    slug = here.organization.slug
    st.page_link(
        page_file(run_address.PAGE if run_id else resource),
        label=text,
        icon=":material/chevron_right:",
        icon_position="right",
        width="stretch",
        query_params=run_address.parameters(slug, run_id) if run_id else {ORGANIZATION: slug},
    )
