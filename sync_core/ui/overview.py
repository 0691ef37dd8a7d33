"""The overview: one card a resource, with its last run."""

import streamlit as st

from sync_core import resources
from sync_core.resource import Resource
from sync_core.runs import Run
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
    """Follow all runs; a change of pace concerns the whole page."""
    found = news.read(here.organization.id)
    if found.pace != pace:
        st.rerun()
    with st.grid(3, min_column_width=280):
        for resource in resources.CATALOGUE.values():
            _card(resource, found)


def _card(resource: Resource, found: News) -> None:
    run = found.runs.get(resource.name)
    looks = look(run)
    with st.container(border=True, height="stretch", gap="xsmall", key=f"card-{resource.name}"):
        title = f"**{resource.title}**"
        st.page_link(page_file(resource.name), label=title, icon=resource.icon, width="stretch")
        st.badge(looks.word, icon=looks.icon, color=looks.color)
        if run is None:
            st.markdown(":gray[Nothing has been synced here yet.]")
            return
        if run.active:
            progress_card.show(run, found)
        else:
            st.markdown(literal(run.message))
        st.space("stretch")
        st.caption(_when(run))


def _when(run: Run) -> str:
    who = literal(run.requested_by)
    if run.finished_at is None:
        return f"Started {ago(run.queued_at)} by {who}"
    took = f" · took {lasted(run.seconds)}" if run.seconds is not None else ""
    when = ago(run.finished_at)
    return f"{when[0].upper()}{when[1:]} by {who}{took}"
