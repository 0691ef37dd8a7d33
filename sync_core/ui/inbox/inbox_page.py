"""The inbox: what waits for the visitor, and what happened to their syncs."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import ago
from sync_core.foundation.vocabulary import NoticeKind, RunStatus
from sync_core.notifications import notices, words
from sync_core.notifications.notices import Notice
from sync_core.runs import Run, run_address
from sync_core.ui.frame import browser_news, inbox_count, run_state, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import page_head, paging, row_table
from sync_core.ui.parts.notice_looks import LOOKS
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import brief, icon_name, literal, look
from sync_core.ui.runs import first_sync

MOST = 50


def show() -> None:
    """Show the inbox of the visitor. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    with db.within(here.organization.id) as connection:
        found = notices.of_person(connection, here.organization.id, here.person, limit=MOST)
    with page_head.show("Inbox", ":material/notifications:"):
        st.space("stretch")
        _read_all_button(here)
    _show_waiting(here, _waiting(here))
    _show_told(here, found)
    browser_news.ask()


def _read_all_button(here: Visitor) -> None:
    newest = run_state.read(here.organization.id).newest_notice
    if inbox_count.unread(here, newest):
        st.button(
            "Mark all as read",
            icon=":material/done_all:",
            key="read-all",
            on_click=inbox_count.read,
            args=(here,),
        )


def _waiting(here: Visitor) -> Sequence[Run]:
    """Find the runs whose plan waits for somebody like the visitor."""
    if not here.person.may("sync"):
        return ()
    return run_state.read(here.organization.id).plans


def _show_waiting(here: Visitor, waiting: Sequence[Run]) -> None:
    if not waiting:
        return
    with st.container(border=True, gap="xsmall", key="waits"):
        st.markdown(f"**Waits for you** :gray-badge[{len(waiting)}]")
        for run in waiting:
            title = resources.CATALOGUE[run.resource].title
            text = f":orange[:material/front_hand:] **{title}**: {literal(brief(run.message))}"
            page, parameters = _goal(here, run.resource, run.id)
            st.page_link(page, label=text, query_params=parameters)


def _show_told(here: Visitor, found: Sequence[Notice]) -> None:
    if not found:
        more = "What happens to your syncs is listed here."
        begin = partial(first_sync.to_overview, here)
        paging.show_empty(":material/notifications:", "Nothing to read.", more, begin)
        return
    with db.within(here.organization.id) as connection:
        titled = words.titles(connection, here.organization.id, found)
        decided = _decided(connection, here, found)
    columns = [
        Column("What happened", "wide first"),
        Column("Result", "wide"),
        Column("When", "brief"),
        Column("Status", "brief"),
    ]
    table = Table(columns, [_row(one, title, decided) for one, title in titled], cards=True)
    if opened := row_table.show(table, key="told", alt="What happened, the newest first"):
        for one in found:
            if str(one.id) == opened:
                _open(here, one)


def _decided(
    connection: db.Connection, here: Visitor, found: Sequence[Notice]
) -> Mapping[int, Run]:
    """Return, by number, the runs whose plans waited when it was told, and do not any more."""
    waited = [one.run_id for one in found if one.kind == NoticeKind.WAITING and one.run_id]
    told = runs.some(connection, waited) if waited else ()
    ours = (run for run in told if run.organization_id == here.organization.id)
    return {run.id: run for run in ours if run.status != RunStatus.WAITING}


def _row(one: Notice, title: str, decided: Mapping[int, Run]) -> Row:
    """Return the row of a notice; it opens where there is something to go to."""
    icon, color = LOOKS[one.kind]
    text, run = one.text, decided.get(one.run_id or 0)
    if one.kind == NoticeKind.WAITING and run:
        icon, color = ":material/task_alt:", "gray"
        text = run.message if run.finished_at else f"Confirmed. {look(run).word}."
    is_new = one.read_at is None
    cells = [
        Cell(title, f"toned {color}" + ("" if is_new else " read"), icon_name(icon)),
        Cell(text),
        Cell(ago(one.at), "faint"),
        Cell("New", "badge blue") if is_new else Cell(),
    ]
    return Row(str(one.id) if one.resource in resources.CATALOGUE else "", cells)


def _open(here: Visitor, one: Notice) -> None:
    """Go to the run of which a notice tells, else to its resource; so it is read."""
    inbox_count.read(here, one.id)
    page, parameters = _goal(here, one.resource, one.run_id)
    st.switch_page(page, query_params=parameters)


def _goal(here: Visitor, resource: str, run_id: int | None) -> tuple[str, Mapping[str, str]]:
    """Return the page of a run, or else of a resource, and its parameters."""
    slug = here.organization.slug
    if run_id:
        return page_file(run_address.PAGE), run_address.parameters(slug, run_id)
    return page_file(resource), {ORGANIZATION: slug}
