"""The overview: one card a resource, with its last run."""

import streamlit as st

from sync_core import resources
from sync_core.resource import Resource
from sync_core.ui import news, progress_card, visitor
from sync_core.ui.navigation import page_file
from sync_core.ui.news import News
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import ago, lasted, literal, look


def show() -> None:
    """Show the overview of the visitor's organization."""
    here = visitor.enter("read")
    st.title("Overview", icon=":material/dashboard:", anchor=False)
    found = news.read(here.organization.id)
    st.fragment(run_every=found.pace)(_watch)(here, found.pace)


def _watch(here: Visitor, pace: int) -> None:
    """Follow all runs; the pace changes with the whole page."""
    found = news.read(here.organization.id)
    if found.pace != pace:
        st.rerun()
    with st.grid(3, min_column_width=300):
        for resource in resources.CATALOGUE.values():
            _card(resource, found)


def _card(resource: Resource, found: News) -> None:
    run = found.runs.get(resource.name)
    looks = look(run)
    with st.container(border=True, height="stretch", key=f"card-{resource.name}"):
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.page_link(page_file(resource.name), label=f"**{resource.title}**", icon=resource.icon)
            st.space("stretch")
            st.badge(looks.word, icon=looks.icon, color=looks.color)
        if run is None:
            st.caption("Its first sync fills this card.")
        elif run.active:
            progress_card.show(run, found)
            st.caption(f"Started {ago(run.queued_at)} by {literal(run.requested_by)}")
        else:
            st.markdown(literal(run.message))
            st.caption(_when(run))


def _when(run) -> str:
    took = f" · took {lasted(run.seconds)}" if run.seconds is not None else ""
    when = ago(run.finished_at or run.queued_at)
    return f"{when[0].upper()}{when[1:]} by {literal(run.requested_by)}{took}"
