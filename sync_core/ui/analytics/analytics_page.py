"""The analytics page: key figures first, then how runs went, how fast, why not, when, by whom."""

import streamlit as st

from sync_core.analytics import habits
from sync_core.analytics.definitions import DEFINITIONS
from sync_core.runs import MADE_UP
from sync_core.ui.analytics import (
    behind,
    cached,
    cards,
    failures_tab,
    people_tab,
    period,
    results_tab,
    speed_tab,
    week_tab,
)
from sync_core.ui.analytics.period import Asked
from sync_core.ui.frame import visitor
from sync_core.ui.parts import page_head
from sync_core.ui.parts.words import MADE_UP_NOTE

TABS = {
    "Results": results_tab.show,
    "Speed": speed_tab.show,
    "Failures": failures_tab.show,
    "Week": week_tab.show,
    "People": people_tab.show,
}


def show() -> None:
    """Show the analytics. Raises SyncError("no_permission")."""
    here = visitor.enter("analyze")
    page_head.show("Analytics", ":material/monitoring:")
    asked = period.ask(here)
    cards.show(here, asked)
    tabs = st.tabs(list(TABS), key="view", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                draw(here, asked)
    behind.show_chosen(here, asked)
    _note_made_up_runs(asked)
    _definitions()


def _note_made_up_runs(asked: Asked) -> None:
    if MADE_UP in asked.triggers and cached.read(habits.has_made_up, asked.wanted):
        st.caption(f"{MADE_UP_NOTE}: those that were started from *Demo data*.")


def _definitions() -> None:
    with st.expander("What the figures mean", icon=":material/menu_book:", key="definitions"):
        st.markdown("\n".join(f"- **{term}**: {meaning}" for term, meaning in DEFINITIONS.items()))
