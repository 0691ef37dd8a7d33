"""Polling: the one part of a page that redraws itself, for it follows the runs."""

from collections.abc import Callable

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from sync_core.ui.frame import browser_news, run_state, tab_title, tidings, visitor
from sync_core.ui.frame.run_state import RunState, Signature
from sync_core.ui.frame.visitor import Visitor

FRAME = "frame"  # session keys of this draw of the page: what the frame around it shows,
FOLLOWED = "followed"  # and whether the page follows the runs itself

Draw = Callable[[RunState], None]


def begin(here: Visitor, page: StreamlitPage, draw: Draw) -> None:
    """Keep what the frame draws of the runs on every page."""

    def draw_frame(state: RunState) -> None:
        draw(state)
        tidings.hear(here, state, page.url_path)
        tab_title.show(here, state, page)

    browser_news.begin()
    st.session_state[FRAME], st.session_state[FOLLOWED] = draw_frame, False


def follow(here: Visitor, draw: Draw = lambda _state: None) -> None:
    """Draw the state of the runs here, again and again; the whole page when one begins or ends."""
    frame = None if st.session_state[FOLLOWED] else st.session_state[FRAME]  # one of them draws it
    st.session_state[FOLLOWED] = True
    state = run_state.read(here.organization.id)
    look = visitor.fragment(here, _look, state.poll_seconds)
    look(here, state.signature, draw, frame)


def finish(here: Visitor) -> None:
    """Follow the runs for the frame alone, where the page does not follow them itself."""
    if not st.session_state[FOLLOWED]:
        follow(here)


def _look(here: Visitor, seen: Signature, draw: Draw, frame: Draw | None) -> None:
    state = run_state.read(here.organization.id)
    if state.signature != seen:
        st.rerun()
    draw(state)
    if frame:  # below: what it shows takes no place, and moves nothing
        frame(state)
