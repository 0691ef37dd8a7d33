"""Polling: the one part of a page that redraws itself, for it follows the runs."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.ui.frame import run_state
from sync_core.ui.frame.run_state import RunState, Signature
from sync_core.ui.frame.visitor import Visitor

BADGE = "badge"  # session keys of this draw of the page: the slot of the sidebar's badge,
FOLLOWED = "followed"  # and whether the page follows the runs itself

Draw = Callable[[RunState], None]
DrawInto = Callable[[DeltaGenerator, RunState], None]


def begin(slot: DeltaGenerator, draw: DrawInto) -> None:
    """Keep the slot in the sidebar that shows the active runs, on every page."""
    st.session_state[BADGE], st.session_state[FOLLOWED] = (slot, draw), False


def follow(here: Visitor, draw: Draw = lambda _state: None) -> None:
    """Draw the state of the runs here, again and again; the whole page when one begins or ends."""
    badge = None if st.session_state[FOLLOWED] else st.session_state[BADGE]  # one of them draws it
    st.session_state[FOLLOWED] = True
    state = run_state.read(here.organization.id)
    st.fragment(run_every=state.poll_seconds)(_look)(here, state.signature, draw, badge)


def finish(here: Visitor) -> None:
    """Follow the runs for the sidebar alone, where the page does not follow them itself."""
    if not st.session_state[FOLLOWED]:
        follow(here)


def _look(
    here: Visitor, seen: Signature, draw: Draw, badge: tuple[DeltaGenerator, DrawInto] | None
) -> None:
    state = run_state.read(here.organization.id)
    if state.signature != seen:
        st.rerun()
    if badge:
        slot, draw_badge = badge
        draw_badge(slot, state)
    draw(state)
