"""The one thing on a page that looks again by itself: it follows the runs of the organization."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.ui.frame import run_state
from sync_core.ui.frame.run_state import News, State
from sync_core.ui.frame.visitor import Visitor

BADGE = "badge"  # session keys of this run of the page: where the badge stands,
FOLLOWED = "followed"  # and whether the page follows the runs itself

Draw = Callable[[News], None]
DrawIn = Callable[[DeltaGenerator, News], None]


def begin(place: DeltaGenerator, draw: DrawIn) -> None:
    """Name the place in the sidebar that shows what runs, on every page."""
    st.session_state[BADGE], st.session_state[FOLLOWED] = (place, draw), False


def follow(here: Visitor, draw: Draw = lambda _news: None) -> None:
    """Draw what is live here, again and again; when a run begins or ends, the whole page anew."""
    badge = None if st.session_state[FOLLOWED] else st.session_state[BADGE]  # one of them draws it
    st.session_state[FOLLOWED] = True
    found = run_state.read(here.organization.id)
    st.fragment(run_every=found.pace)(_look)(here, found.state, draw, badge)


def finish(here: Visitor) -> None:
    """Follow the runs for the sidebar's sake, where the page does not follow them itself."""
    if not st.session_state[FOLLOWED]:
        follow(here)


def _look(
    here: Visitor, seen: State, draw: Draw, badge: tuple[DeltaGenerator, DrawIn] | None
) -> None:
    found = run_state.read(here.organization.id)
    if found.state != seen:
        st.rerun()
    if badge:
        place, draw_badge = badge
        draw_badge(place, found)
    draw(found)
