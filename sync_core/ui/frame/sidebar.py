"""The sidebar: the navigation, which tells of active runs, the organization, the person."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from sync_core.catalogue import resources
from sync_core.ui.frame import inbox_count, navigation, offers, polling, preferences, visitor
from sync_core.ui.frame.navigation import Pages, page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.words import ROLES, literal

UNREAD, ACTIVE = "unread", "active"  # session keys: what links show until it is read


def show(here: Visitor, offered: Pages, page: StreamlitPage) -> None:
    """Show the sidebar of a page; on a phone, where it is closed, how far the runs are, too."""
    with st.sidebar:
        places = navigation.show(offered)
        st.space("xsmall")
        offers.show(here.offers)
        _organization(here)
        _person(here)
        preferences.apply(here, [page.url_path for pages in offered.values() for page in pages])
    with st.container(key="running"):
        badge = st.empty()
    _draw(places, st.session_state.get(UNREAD, 0), st.session_state.get(ACTIVE, {}))

    def draw(state: RunState) -> None:
        st.session_state[UNREAD] = inbox_count.unread(here, state.newest_notice)
        st.session_state[ACTIVE] = _active(state)
        _draw(places, st.session_state[UNREAD], st.session_state[ACTIVE])
        _draw_badge(badge, st.session_state[ACTIVE])

    polling.begin(here, page, draw)


def _active(state: RunState) -> dict[str, int]:
    """Return how far the active runs are, in percent, by their resource."""
    known = state.progress
    return {
        name: min(known[run.id].percent, 100) if run.id in known else 0
        for name, run in state.runs.items()
        if run.active
    }


def _draw(places: Mapping[str, DeltaGenerator], unread: int, active: Mapping[str, int]) -> None:
    """Show the links that change: to the inbox, and to resources, with how far their runs are."""
    for name, place in places.items():
        if name == inbox_count.PAGE:
            _bell(place, unread)
            continue
        resource = resources.CATALOGUE[name]
        place.page_link(
            page_file(name),
            label=resource.title + (f" :blue-badge[{active[name]}%]" if name in active else ""),
            icon=":material/progress_activity:" if name in active else resource.icon,
            width="stretch",
        )


def _draw_badge(place: DeltaGenerator, active: Mapping[str, int]) -> None:
    """Show how far the run on its way is, or several together; nothing where there is none."""
    if not active:
        place.empty()
        return
    only = next(iter(active)) if len(active) == 1 else None
    what = resources.CATALOGUE[only].title if only else f"{len(active)} syncs"
    place.page_link(
        page_file(only or "overview"),
        label=f"{what} {sum(active.values()) // len(active)}%",
        icon=":material/progress_activity:",
    )


def _bell(slot: DeltaGenerator, unread: int) -> None:
    """Show the way to the inbox, with how much of it is not read."""
    slot.page_link(
        page_file(inbox_count.PAGE),
        label=f"Inbox :blue-badge[{unread:,} new]" if unread else "Inbox",
        icon=":material/notifications_unread:" if unread else ":material/notifications:",
        width="stretch",
    )


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
    if here.organization != here.choices[0]:
        st.button(
            "Open this one first",
            icon=":material/keep:",
            type="tertiary",
            help="When you come without the address of another one, this organization opens.",
            key="open-first",
            on_click=visitor.open_first,
            args=(here,),
        )


def _change() -> None:
    st.query_params[ORGANIZATION] = st.session_state["organization"]


def _person(here: Visitor) -> None:
    team = f" · {literal(here.person.team)}" if here.person.team else ""
    with st.container(gap=None, key="person"):
        st.markdown(
            f"**{literal(here.person.name)}**  \n:small[:gray[{ROLES[here.person.role]}{team}]]"
        )
        preferences.offer(here)
        _sign_out(here, "Sign out", ":material/logout:", "sign-out")
        everywhere = "Sign out on all devices"
        _sign_out(here, everywhere, ":material/phonelink_off:", "sign-out-everywhere")


def _sign_out(here: Visitor, label: str, icon: str, key: str) -> None:
    st.button(
        label,
        icon=icon,
        type="tertiary",
        key=key,
        on_click=visitor.sign_out,
        args=(here,),
        kwargs={"everywhere": key != "sign-out"},
    )
