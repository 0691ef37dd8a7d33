"""The sidebar below the navigation: the active runs, the organization, the person."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.catalogue import resources
from sync_core.runs import Run
from sync_core.ui.frame import inbox_count, navigation, polling, visitor
from sync_core.ui.frame.navigation import Pages, page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.words import ROLES, literal

UNREAD = "unread"  # session key: what the bell shows until it is counted


def show(here: Visitor, offered: Pages, page: str) -> None:
    """Show the sidebar of a page, whose address is given."""
    with st.sidebar:
        inbox = navigation.show(offered)
        st.space("xsmall")
        active = st.empty()
        _organization(here)
        _person(here)
    _bell(inbox, st.session_state.get(UNREAD, 0))

    def draw(state: RunState) -> None:
        st.session_state[UNREAD] = inbox_count.unread(here, state.newest_notice)
        _bell(inbox, st.session_state[UNREAD])
        _badge(active, state)

    polling.begin(here, page, draw)


def _bell(slot: DeltaGenerator, unread: int) -> None:
    """Show the way to the inbox, with how much of it is not read."""
    slot.page_link(
        page_file(inbox_count.PAGE),
        label=f"Inbox :blue-badge[{unread:,} new]" if unread else "Inbox",
        icon=":material/notifications_unread:" if unread else ":material/notifications:",
        width="stretch",
    )


def _badge(slot: DeltaGenerator, state: RunState) -> None:
    """Show the active runs; nothing where there are none."""
    active = [run for run in state.runs.values() if run.active]
    if not active:
        slot.empty()
        return
    with slot.container(border=True, gap="xsmall", key="badge"):
        for run in active:
            _run(run, state)


def _run(run: Run, state: RunState) -> None:
    resource = resources.CATALOGUE[run.resource]
    known = state.progress.get(run.id)
    percent = min(known.percent, 100) if known else 0
    suffix = f" · {percent} %" if known else ""
    st.page_link(
        page_file(run.resource),
        label=f"{resource.main.title}{suffix}",
        icon=":material/progress_activity:",
        width="stretch",
    )
    st.progress(percent)


def _organization(here: Visitor) -> None:
    """Let the visitor change to another organization, where there is one."""
    if len(here.choices) == 1:
        st.caption(f":material/domain: {literal(here.organization.name)}")
        return
    names = {organization.slug: organization.name for organization in here.choices}
    st.query_params[ORGANIZATION] = here.organization.slug
    slugs = list(names)
    st.selectbox(
        "Organization",
        slugs,
        index=slugs.index(here.organization.slug),
        format_func=names.__getitem__,
        icon=":material/domain:",
        label_visibility="collapsed",
        key="organization",
        on_change=_change,
    )


def _change() -> None:
    st.query_params[ORGANIZATION] = st.session_state["organization"]


def _person(here: Visitor) -> None:
    team = f" · {literal(here.person.team)}" if here.person.team else ""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="person"):
        st.markdown(
            f"**{literal(here.person.name)}**  \n:small[:gray[{ROLES[here.person.role]}{team}]]",
            width="stretch",
        )
        st.button(
            "",
            icon=":material/logout:",
            type="tertiary",
            help="Sign out",
            key="sign-out",
            on_click=visitor.sign_out,
            args=(here,),
        )
