"""The title of the browser's tab: how far a run is, or how it ended; else that of the page."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from sync_core.catalogue import resources
from sync_core.runs import Run
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import look

NAME = "Sync Desk"
SHOWN, ENDED = "title", "title-ended"  # session keys


def begin() -> str:
    """Return the title with which a draw of the page begins: it changes when all is known."""
    st.session_state.pop(ENDED, None)  # whoever draws the page anew has seen it
    return str(st.session_state.get(SHOWN, NAME))


def keep(run: Run) -> None:
    """Tell how a run ended, until the page is drawn anew."""
    st.session_state[ENDED] = f"{look(run).word} · {_what(run)}"


def show(here: Visitor, state: RunState, page: StreamlitPage) -> None:
    """Tell of the visitor's run on its way, else of that of the page, else of one that ended."""
    told = _of_active(here, state, page.url_path) or st.session_state.get(ENDED, page.title)
    title = f"{told} · {NAME}"
    if title != st.session_state.get(SHOWN):
        st.session_state[SHOWN] = title
        st.set_page_config(page_title=title)


def _of_active(here: Visitor, state: RunState, page: str) -> str | None:
    active = [run for run in state.runs.values() if run.active]
    own = [run for run in active if run.requested_email == here.person.email]
    concerned = own or [run for run in active if run.resource == page]
    if not concerned:
        return None
    run = min(concerned, key=lambda one: one.id)
    known = state.progress.get(run.id)
    how = f"{min(known.percent, 100)}%" if known else look(run).word
    more = f" and {len(concerned) - 1} more" if len(concerned) > 1 else ""
    return f"{how} · {_what(run)}{more}"


def _what(run: Run) -> str:
    return resources.CATALOGUE[run.resource].title
